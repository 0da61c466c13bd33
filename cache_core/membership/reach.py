"""Whether a source of members can be reached: one line in the log when lost, one when found."""

import logging

logger = logging.getLogger("gaocache")


class Reach:
    """Says whether the source `name` can be reached, as a membership's connections tell it.

    `name` has no password in it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._without: set[object] = set()

    def lost(self, part: object, why: Exception) -> None:
        """Tell that `part` does not reach the source."""
        if not self._without:
            reason = " ".join(str(why).split())
            words = "%s can't be reached, the members stay as they were: %s"
            logger.warning(words, self._name, reason)
        self._without.add(part)

    def found(self, part: object) -> None:
        """Tell that `part` reaches the source."""
        if part in self._without:
            self.forget(part)
            if not self._without:
                logger.warning("%s is reached again", self._name)

    def forget(self, part: object) -> None:
        """Leave `part` out of account, because it has ended."""
        self._without.discard(part)
