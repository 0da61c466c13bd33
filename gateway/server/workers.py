"""The workers of one gateway, which tell each other their figures.

Each answers on a Unix socket in a folder that only their user may enter: it sends its figures as
JSON to every connection, and ends the connection.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydantic import TypeAdapter, ValidationError

from gateway.survey.gateway_figures import FiguresSource, GatewayFigures, WorkerFigures, total

ANSWER_SECONDS: Final = 0.5
"""How long a worker may take to tell its figures; those of one that takes longer are left out."""

logger = logging.getLogger("gaocache")

_FIGURES: Final = TypeAdapter(dict[str, dict[str, dict[str, int]]])


class Workers:
    """One of `count` workers, which asks the others for their figures and tells them its own.

    `sources` have its own figures. `own` is the path of its socket: the folder of all workers, and
    in it the worker's number, from 1 to `count`. Without `own` the worker is alone. Use it with
    `async with`: within it, the worker answers the others.
    """

    def __init__(
        self, sources: Mapping[str, FiguresSource], own: Path | None = None, count: int = 1
    ) -> None:
        self._sources = sources
        self._own = own
        self._count = count
        self._server: asyncio.Server | None = None

    async def figures(self) -> GatewayFigures:
        """Return the sums over all workers that answer in time."""
        others = list(self._others())
        answers = await asyncio.gather(*map(_ask, others))
        silent = (path.name for path, told in zip(others, answers, strict=True) if told is None)
        return GatewayFigures(
            self._count,
            tuple(f"worker {name}" for name in silent),
            total([self._figures(), *(told for told in answers if told is not None)]),
        )

    def _others(self) -> Iterator[Path]:
        if self._own is not None:
            paths = (self._own.with_name(str(number + 1)) for number in range(self._count))
            yield from (path for path in paths if path != self._own)

    def _figures(self) -> WorkerFigures:
        return {name: source() for name, source in self._sources.items()}

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # the worker that asked has gone
            writer.write(json.dumps(self._figures()).encode())
            writer.close()
            await writer.wait_closed()

    async def __aenter__(self) -> Self:
        if self._own is not None:
            try:
                self._server = await asyncio.start_unix_server(self._tell, self._own)
            except FileNotFoundError:
                logger.info("the folder %s has gone, as the supervisor has", self._own.parent)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None and self._own is not None:
            self._server.close()
            self._own.unlink(missing_ok=True)


async def _ask(worker: Path) -> WorkerFigures | None:
    """Return the figures of the worker whose socket has this path; None without an answer."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(worker)
            with contextlib.closing(writer):
                return _FIGURES.validate_json(await reader.read())
    except (OSError, ValidationError):  # a TimeoutError is an OSError
        return None
