"""The second tier in a Valkey or a Redis, single or Cluster.

Every record has a random token, so that removals hold. A look that finds no record makes one
without a value, and a put writes only over the very token that its look saw. So once a record is
removed, evicted or lost, no load that runs at the time can write its value any more. To remove all
keys of a group, it is given another epoch: each value is put under an epoch, and each look also
reads the present one. The absence of a record never makes an old value right again.
"""

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.loading.tier import Looked, TierUnavailable, Written
from cache_core.valkey.breaker import Breaker
from cache_core.valkey.command import Command, StoreFull
from cache_core.valkey.opening import open_store
from cache_core.valkey.tier_record import TOKEN_BYTES, placeholder, read, value_part
from cache_core.valkey.tier_script import EPOCH, LOOK, PUT
from cache_core.value import Value

logger = logging.getLogger("gaocache")

TIMEOUT: Final = 0.25
SLOW_SHARE: Final = 0.25
"""The share of the timeout after which a call that was given up counts as failed."""

CONNECTIONS: Final = 16
LONGEST_LOAD: Final = 300.0
"""Seconds for which a token without a value is kept: slower loads are not written."""

LARGEST: Final = 1024 * 1024
"""Bytes of the largest value that is written; larger ones would exceed the timeout."""

LONGEST_TTL: Final = 10 * 365 * 86400.0


def open_tier(url: str, *, group: str, timeout: float = TIMEOUT) -> "ValkeyTier":
    """Return `group`'s part of the store at `url`; nothing is connected yet.

    `timeout` is the seconds that a call may take. Raises InvalidSource, whose setting is `tier`.
    """
    return ValkeyTier(url, group=group, timeout=timeout, clock=time.monotonic)


class ValkeyTier:
    """A Tier in the Valkey at `url`, which is left alone for a while after failures in a row.

    Its keys are `gaocache:{GROUP}` and `gaocache:{GROUP:KEY}`, with `%`, `:` and braces of the
    group and key percent-encoded.
    """

    def __init__(self, url: str, *, group: str, timeout: float, clock: Callable[[], float]) -> None:
        try:
            self._store = open_store(url, timeout=timeout, connections=CONNECTIONS)
        except InvalidSource as error:
            raise InvalidSource("tier", str(error)) from error
        self._name = group
        self._timeout = timeout
        self._clock = clock
        self._group = _encoded(group)
        self._epoch_key = f"gaocache:{{{self._group}}}"
        self.breaker: Final = Breaker(clock)
        """The breaker that decides whether the store is asked; its counts are figures."""

    async def look(self, keys: Sequence[str]) -> Mapping[str, Looked]:
        """Return what the tier has for each of `keys`, in one round trip; as Tier.

        A value that can't be read counts as none. A state is empty, so that `put` writes nothing,
        where the store has no room, or where the server that has the key doesn't answer.
        """
        milliseconds = int(LONGEST_LOAD * 1000)
        looks = [LOOK.run(self._key(key), placeholder(_random()), milliseconds) for key in keys]
        epoch, *answers = await self._ask([EPOCH.run(self._epoch_key, _random()), *looks])
        _raise_first([epoch])
        if all(isinstance(answer, RetrieverFailed) for answer in answers):
            _raise_first(answers)
        return {key: _looked(epoch, found) for key, found in zip(keys, answers, strict=True)}

    async def put(self, entries: Mapping[str, Written]) -> None:
        """Write each value that its look's state still allows, in one round trip; as Tier.

        Values of more than LARGEST bytes or past their TTL are not written.
        """
        commands = [
            self._put(key, value, state)
            for key, (value, state) in entries.items()
            if state and len(value.data) <= LARGEST and _milliseconds(value.ttl) != 0
        ]
        if commands:
            _raise_first(await self._ask(commands))

    async def remove(self, key: str | None) -> None:
        """Remove `key`, or give the group another epoch; as Tier."""
        if key is None:
            command = Command(self._epoch_key, ("SET", self._epoch_key, _random()))
        else:
            command = Command(self._key(key), ("DEL", self._key(key)))
        _raise_first(await self._ask([command]))

    async def check(self) -> None:
        """Try whether the store can be asked. Raises InvalidSource, SourceUnavailable."""
        try:
            await self._store.check([EPOCH.run(self._epoch_key, _random())], "url")
        except InvalidSource as error:
            raise InvalidSource("tier", str(error)) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._store.aclose()

    def _key(self, key: str) -> str:
        return f"gaocache:{{{self._group}:{_encoded(key)}}}"

    def _put(self, key: str, value: Value, state: str) -> Command:
        word = bytes.fromhex(state)
        head, epoch = placeholder(word[:TOKEN_BYTES]), word[TOKEN_BYTES:]
        left = _milliseconds(value.ttl)
        lasting = "" if left is None else left
        return PUT.run(self._key(key), head, epoch, value_part(value), lasting)

    async def _ask(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Return the answers, a RetrieverFailed for each command that has none.

        Raises TierUnavailable where none has one, and at once while the store is left alone.
        """
        if not self.breaker.lets_through():
            raise TierUnavailable("the second tier failed lately, it is left alone for a while")
        began = self._clock()
        try:
            answers = await self._store.ask(commands)
        except (RetrieverFailed, InvalidSource) as error:
            raise self._failed(error) from error
        except BaseException:
            # So that callers with less time than the timeout also find out that a store hangs.
            if self._clock() - began < SLOW_SHARE * self._timeout:
                self.breaker.gave_up()
            else:
                self._failed(SourceUnavailable("Valkey gave no answer in the time that there was"))
            raise
        # A full store counts as one that answers, because what it has can be read.
        failures = [
            answer
            for answer in answers
            if isinstance(answer, RetrieverFailed) and not isinstance(answer.__cause__, StoreFull)
        ]
        if len(failures) == len(answers):
            raise self._failed(failures[0]) from failures[0]
        if self.breaker.is_open:
            logger.info("the second tier of group %s is back", self._name)
        self.breaker.succeeded()
        return answers

    def _failed(self, error: Exception) -> TierUnavailable:
        was_open = self.breaker.is_open
        self.breaker.failed()
        if self.breaker.is_open and not was_open:
            logger.warning("the second tier of group %s is done without: %s", self._name, error)
        return TierUnavailable(str(error))


def _raise_first(answers: Sequence[Any]) -> None:
    for answer in answers:
        if isinstance(answer, RetrieverFailed):
            raise TierUnavailable(str(answer)) from answer


def _looked(epoch: bytes, answer: Any) -> Looked:  # noqa: ANN401 - a server's own answer
    record = None if isinstance(answer, RetrieverFailed) or not answer else read(answer[0])
    if record is None:
        return Looked(None, "")
    state = (record.token + epoch).hex()
    if record.value is None or record.epoch != epoch:
        return Looked(None, state)
    _, left, seconds, microseconds = answer
    if left == 0:
        return Looked(None, state)
    passed = int(seconds) + int(microseconds) / 1e6 - record.put_at
    value = record.value._replace(
        ttl=None if left < 0 else left / 1000, age=record.value.age + max(0.0, passed)
    )
    return Looked(value, state)


def _milliseconds(ttl: float | None) -> int | None:
    return None if ttl is None else int(max(0.0, min(ttl, LONGEST_TTL)) * 1000)


def _encoded(text: str) -> str:
    """Return `text` without colons and braces, which end hash tags; no two texts become one."""
    for char in "%:{}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def _random() -> bytes:
    return secrets.token_bytes(TOKEN_BYTES)
