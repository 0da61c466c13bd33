"""A hook that writes events to the log, at debug level in the words of the original tutorial."""

import logging
import re
from collections.abc import Callable, Collection
from typing import Final

from cache_core.events import (
    Event,
    Hit,
    LoadFailed,
    LoadStarted,
    MemberBack,
    MemberLeftOut,
    MembersChanged,
    Received,
    StaleHit,
)

logger = logging.getLogger("gaocache")

_IN_URL: Final = re.compile(r"(?<=://)\S+(?=@)")
"""The credentials of a URL: up to the last @, because a password may contain an @ or a slash."""
_NAMED: Final = re.compile(r"(password|passwd|token|secret|key)=\S+", re.IGNORECASE)


class LogHook:
    """Logs the events of a node; `address` returns the node's address once the node has started.

    Failed loads are warnings, and so are members that are left out if that is `alarming`. Other
    news of members is at info level, everything else at debug level. The hook is a SelectiveHook
    and logs nothing of the kinds in `silent`. If debug lines are not logged when the hook is made,
    it also passes over Received and Hit, which come with every hit.
    """

    def __init__(self, address: Callable[[], str], *, silent: Collection[type[Event]] = ()) -> None:
        self._address = address
        of_gets = () if logger.isEnabledFor(logging.DEBUG) else (Received, Hit)
        self.passes_over: Final = frozenset((*silent, *of_gets))

    def __call__(self, event: Event) -> None:
        """Write one line for `event`."""
        if type(event) in self.passes_over:
            return
        match event:
            case Received(group, key):
                words = "[gaocache_svr %s] Recv RPC Request - (%s)/(%s)"
                logger.debug(words, self._address(), _one_line(group), _one_line(key))
            case Hit(group, key):
                logger.debug("cache hit (%s)/(%s)", group, _one_line(key))
            case StaleHit(group, key, answer):
                logger.debug("cache %s (%s)/(%s)", answer, group, _one_line(key))
            case LoadStarted(group, key):
                logger.debug("[source %s] search key %s", group, _one_line(key))
            case LoadFailed(group, key, error):
                cause = error.__cause__
                why = str(error) if cause is None else f"{type(cause).__name__}: {cause}"
                words = "[source %s] failed for key %s: %s"
                logger.warning(words, group, _one_line(key), _one_line(_redacted(why)))
            case MembersChanged(nodes, ring):
                words = "the members are %s, the ring is %016x"
                logger.info(words, ", ".join(nodes), ring)
            case MemberLeftOut(node, why, alarming):
                level = logging.WARNING if alarming else logging.INFO
                logger.log(level, "node %s is left out: %s", node, _one_line(why))
            case MemberBack(node):
                logger.info("node %s serves", node)


def _one_line(text: str) -> str:
    """Return `text` as it is, or escaped where it could forge a line of the log."""
    return text if text.isprintable() else repr(text)[1:-1]


def _redacted(text: str) -> str:
    """Return `text` without the credentials in it: of URLs, and named by a parameter."""
    return _NAMED.sub(r"\1=…", _IN_URL.sub("…", text))
