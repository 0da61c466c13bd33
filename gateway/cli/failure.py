"""How a command ends that can't do what it was asked."""

import errno


class Failure(Exception):
    """One line for the user, which says what to do next, and the exit status.

    Without a message the user was told already.
    """

    def __init__(self, message: str = "", *, exit_status: int = 1) -> None:
        super().__init__(message)
        self.exit_status = exit_status


def listen_failure(address: object, error: OSError) -> Failure:
    """Return the failure for an address that can't be listened at."""
    if error.errno == errno.EADDRINUSE:
        advice = "stop what listens there or choose another port"
    else:
        advice = "choose an address of this machine and a port that you may use"
    return Failure(f"can't listen at {address}: {error.strerror or error}; {advice}")
