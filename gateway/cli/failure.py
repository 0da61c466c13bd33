"""How a command ends that can't do what it was asked."""


class Failure(Exception):
    """One line for the user, which says what to do next, and the exit status.

    Without a message the user was told already.
    """

    def __init__(self, message: str = "", *, exit_status: int = 1) -> None:
        super().__init__(message)
        self.exit_status = exit_status
