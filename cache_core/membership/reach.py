"""Whether a source of members can be reached: one line in the log when lost, one when found."""

import logging

logger = logging.getLogger("gaocache")


class Reach:
    """Logs when the source `name` of a membership is lost, and when it is found again.

    The parts of the membership, each with its own connection, report here. The source is lost when
    the first part has lost it, and found again when no part is without it. `name` has no password.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._without: set[object] = set()

    def lost(self, part: object, why: Exception) -> None:
        """Note that `part` does not reach the source."""
        if not self._without:
            reason = " ".join(str(why).split())
            words = "%s can't be reached, the members stay as they were: %s"
            logger.warning(words, self._name, reason)
        self._without.add(part)

    def found(self, part: object) -> None:
        """Note that `part` reaches the source."""
        if part in self._without:
            self.forget(part)
            if not self._without:
                logger.warning("%s is reached again", self._name)

    def forget(self, part: object) -> None:
        """Leave `part` out of account, because it has ended."""
        self._without.discard(part)
