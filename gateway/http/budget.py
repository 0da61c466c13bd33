"""The bytes that all requests under way may hold together, of bodies and of batches. Pure."""

from gateway.http.problems import Refused


class Budget:
    """`limit` bytes for all requests that run; `held` of them are taken."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def share(self) -> "Share":
        """Return the share of one request, which has nothing yet."""
        return Share(self)


class Share:
    """What one request holds of a Budget, until its `end`."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.held = 0

    def take(self, size: int) -> None:
        """Take `size` bytes more, or give them back where it is below 0.

        Raises Refused (503) where all requests would hold too much: others have to end first.
        """
        if size > 0 and self._budget.held + size > self._budget.limit:
            raise gateway_busy()
        self._budget.held += size
        self.held += size

    def end(self) -> None:
        """Give everything back."""
        self._budget.held -= self.held
        self.held = 0


def gateway_busy() -> Refused:
    """Return the refusal of a request that would make all hold too much together."""
    words = "the gateway holds as much for other requests as it may, ask again later"
    return Refused(503, "gateway-busy", words, headers={"Retry-After": "1"})
