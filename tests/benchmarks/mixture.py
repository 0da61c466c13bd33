"""Requests of every kind, each with what its answer must be."""

import asyncio
import random
from collections import Counter
from typing import Final

from exchanges import Exchanges, Reply
from keyset import by_zipf, target
from sized_values import sized_value

SIZES: Final = (100, 100, 100, 1_000, 10_000)
KEYS: Final = 20_000
"""More than the node of a soak can hold, so that keys come and go."""

DRAWN: Final = 50_000
MOST_WRONG: Final = 20
"""How many wrong answers are told one by one."""


class Unexpected(Exception):
    """An answer is not what it must be."""


class Mixture:
    """Asks for keys by Zipf's law in every way until told to stop; counts what came of it."""

    def __init__(self, rng: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._rng = rng
        ranked = [f"{SIZES[number % len(SIZES)]}/{number}" for number in range(KEYS)]
        self.drawn = by_zipf(ranked, DRAWN, rng)
        kinds = {
            _get: 50,
            _get_bytes: 15,
            _get_missing: 10,
            _head: 10,
            _get_again: 13,
            _remove: 2,
        }
        self._kinds = rng.choices(list(kinds), list(kinds.values()), k=997)

    async def talk(self, port: int, stop: asyncio.Event) -> None:
        """Ask over one connection, one request after the other, until `stop`."""
        begin = self._rng.randrange(DRAWN)
        async with Exchanges(port) as exchanges:
            number = begin
            while not stop.is_set():
                number += 1
                kind = self._kinds[number % len(self._kinds)]
                key = self.drawn[number % DRAWN]
                name = kind.__name__.strip("_").replace("_", " ")
                try:
                    await kind(exchanges, key)
                except Unexpected as error:
                    self._note(f"{name} {key}: {error}")
                except (OSError, asyncio.IncompleteReadError) as error:
                    self._note(f"{name} {key}: {type(error).__name__}: {error}")
                    return
                self.counts[name] += 1

    def _note(self, words: str) -> None:
        self.counts["wrong"] += 1
        if len(self.wrong) < MOST_WRONG:
            self.wrong.append(words)


async def _get(exchanges: Exchanges, key: str) -> None:
    reply = await exchanges.ask("GET", target(key))
    _must(reply, 200)
    if reply.member("value") != (sized_value(key) or b"").decode():
        raise Unexpected(f"another value: {reply.body[:200]!r}")


async def _get_bytes(exchanges: Exchanges, key: str) -> None:
    reply = await exchanges.ask("GET", f"{target(key)}?alt=media")
    _must(reply, 200)
    if reply.body != sized_value(key):
        raise Unexpected(f"other bytes: {reply.body[:200]!r}")


async def _get_missing(exchanges: Exchanges, key: str) -> None:
    reply = await exchanges.ask("GET", target(f"missing/{key}"))
    _must(reply, 404)
    if reply.member("reason") != "key-not-found":
        raise Unexpected(f"another reason: {reply.body[:200]!r}")


async def _head(exchanges: Exchanges, key: str) -> None:
    reply = await exchanges.ask("HEAD", f"{target(key)}?alt=media")
    _must(reply, 200)
    if reply.fields["content-length"] != str(len(sized_value(key) or b"")):
        raise Unexpected(f"content-length {reply.fields['content-length']}")


async def _get_again(exchanges: Exchanges, key: str) -> None:
    reply = await exchanges.ask("GET", target(key))
    _must(reply, 200)
    again = await exchanges.ask("GET", target(key), if_none_match=reply.fields["etag"])
    _must(again, 304)


async def _remove(exchanges: Exchanges, key: str) -> None:
    _must(await exchanges.ask("DELETE", target(key)), 204)


def _must(reply: Reply, status: int) -> None:
    if reply.status != status:
        raise Unexpected(f"{reply.status}, not {status}: {reply.body[:300]!r}")
