"""How many descriptors a serving process may have: each connection takes one."""

import contextlib
import resource


def raise_limit() -> None:
    """Allow this process, and those that it starts, as many descriptors as the system lets it.

    Shells and service managers give 1,024 at first, so that as many connections would shut out all
    others; the limit behind it, which is for good, is a hundred times as high on most machines.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS names a limit that it does not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
