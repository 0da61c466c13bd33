"""The retriever for a source that is a Python function, or an object of the user's own."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from cache_core.errors import NotFound, RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import (
    FunctionRetriever,
    InvalidSource,
    Retrieved,
    RetrieverFunction,
)
from cache_core.sources.python.settings import PythonSource
from cache_core.sources.python.target import failed, load_target
from cache_core.value import Value

CHECK_SECONDS: Final = 10.0
"""How long the object's own check and the look-up of the `check_key` may take together."""

LEAST_SECRET: Final = 4
"""Options with fewer characters stay in an error's words, which would else lose too much."""


class PythonRetriever(FunctionRetriever):
    """A CheckedRetriever that calls the target of `source`, whose module may be in `folder`.

    The target is a function from a key to its bytes, a Value or None, or an object whose `retrieve`
    is such a function. The function is async, or runs in a thread. Where the object has an async
    `retrieve_many` or `refresh`, this is a BatchRetriever or a Refresher too; an async `check` and
    `aclose` of the object are called. A target that is a class is first called, with the options,
    to make the object; so is any target where there are options. Raises InvalidSource.
    """

    retrieve_many: Callable[[Sequence[str]], Awaitable[Mapping[str, Retrieved | RetrieverFailed]]]
    refresh: Callable[[str, Value], Awaitable[Retrieved]]

    def __init__(self, source: PythonSource, *, folder: Path) -> None:
        given = _made(load_target(source.target, folder), source.options)
        super().__init__(_function(given), threads=source.threads)
        self._options = source.options
        self._check = _own(given, "check")
        self._check_key = source.check_key
        self._aclose = _own(given, "aclose")
        for name in ("retrieve_many", "refresh"):  # only there where the object has them
            method = _own(given, name)
            if method is not None:
                setattr(self, name, method)

    async def check(self) -> None:
        """Call the object's own `check`, if it has one, and look up the `check_key`, if one is set.

        Raises InvalidSource, SourceUnavailable.
        """
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                if self._check is not None:
                    await self._check()
                if self._check_key is not None:
                    await self.retrieve(self._check_key)
        except (InvalidSource, SourceUnavailable):
            raise
        except NotFound:
            return
        except (ConnectionError, TimeoutError) as error:
            raise SourceUnavailable("the source is unavailable") from error
        except Exception as error:  # noqa: BLE001 - its words go on, the rest may have secrets
            words = _without_secrets(failed("its check", error), self._options)
            raise InvalidSource("target", words) from None

    async def aclose(self) -> None:
        """Let the threads end, and call the object's own `aclose`, if it has one."""
        await super().aclose()
        if self._aclose is not None:
            await self._aclose()


def _made(target: Any, options: Mapping[str, Any] | None) -> object:  # noqa: ANN401 - the user's own
    """Return `target`, or the object that it makes of the options. Raises InvalidSource."""
    if options is None and not isinstance(target, type):
        return target
    setting = "target" if options is None else "options"
    try:
        made = target(**(options or {}))
    except Exception as error:  # noqa: BLE001 - its words go on, the rest may have secrets
        words = _without_secrets(failed("calling the target", error), options)
        raise InvalidSource(setting, words) from None
    if inspect.iscoroutine(made):
        made.close()
        raise InvalidSource(setting, "with options, the target should not be async")
    return made


def _without_secrets(words: str, options: Mapping[str, Any] | None) -> str:
    # The longest first: where one holds another, the rest of the longer one would else be told.
    for secret in sorted(_texts(options), key=len, reverse=True):
        words = words.replace(secret, "…").replace(repr(secret)[1:-1], "…")
    return words


def _texts(options: object) -> Iterator[str]:
    match options:
        case str() if len(options) >= LEAST_SECRET:
            yield options
        case list():
            for option in options:
                yield from _texts(option)
        case dict():
            yield from _texts([*options.values()])


def _function(given: object) -> RetrieverFunction:
    function = getattr(given, "retrieve", given)
    if not callable(function):
        kind = type(function).__name__
        raise InvalidSource("target", f"it is a {kind}, not a function or an object with retrieve")
    if not _takes_a_key(function):
        raise InvalidSource("target", "it should take a key, and need nothing else")
    return cast("RetrieverFunction", function)


def _takes_a_key(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind("key")
    except TypeError:
        return False
    except ValueError:  # a function written in C may not tell
        return True
    return True


def _own(given: object, name: str) -> Callable[..., Awaitable[Any]] | None:
    method = getattr(given, name, None)
    if method is not None and not inspect.iscoroutinefunction(method):
        raise InvalidSource("target", f"its {name} should be async")
    return method
