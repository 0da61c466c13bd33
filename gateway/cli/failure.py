"""The failure that a command ends in, and its exit statuses."""

from typing import Final

EXIT_WRONG: Final = 1
"""Something is wrong with what was looked at, or the command failed for a reason of its own."""

EXIT_NOT_FOUND: Final = 1
"""There is no such key."""

EXIT_UNREACHED: Final = 1
"""A removal holds, but not yet at every node."""

EXIT_USAGE: Final = 2
"""The command line or the config is not what it should be."""

EXIT_FAILED: Final = 3
"""The nodes or the gateway gave no answer, or an error."""

EXIT_UNWRITTEN: Final = 3
"""The answer could not be written to the output."""


class Failure(Exception):
    """One line for the user, which says what to do next, and the exit status.

    An empty message says nothing, because the user was told already.
    """

    def __init__(self, message: str = "", *, exit_status: int = EXIT_WRONG) -> None:
        super().__init__(message)
        self.exit_status = exit_status
