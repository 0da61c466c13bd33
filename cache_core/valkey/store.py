"""A Valkey or Redis that can be asked, single or Cluster, with our own errors."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from redis.exceptions import NoScriptError

from cache_core.address import Address
from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.valkey.cluster import ClusterLink
from cache_core.valkey.command import Command, StoreLink, StoreRefuses
from cache_core.valkey.failure import CAUGHT, translated
from cache_core.valkey.single import Single
from cache_core.valkey.url import StoreUrl

CLOSE_SECONDS: Final = 2.0
"""How long the connections may take to close."""

_HELLO: Final = Command("", ("HELLO",))


class Store:
    """The store at `url`. When it is first asked, it says itself whether it is a Cluster.

    At most `connections` asks run at a time, each for up to `timeout` seconds, waiting included.
    An ask that is cancelled closes its connection, because nobody will read the answer.
    """

    def __init__(self, url: StoreUrl, *, timeout: float, connections: int) -> None:
        self._url = url
        self._timeout = timeout
        self._places = asyncio.Semaphore(connections)
        self._finding = asyncio.Lock()
        self._link: StoreLink | None = None

    async def ask(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Return the answers in order, a RetrieverFailed where a command has none.

        Raises SourceUnavailable where no command was answered, RetrieverFailed where that was a
        refusal, and InvalidSource where the URL is for a Cluster and the store is none, or the
        other way round.
        """
        try:
            async with asyncio.timeout(self._timeout), self._places:
                link = self._link or await self._find()
                answers = await _ask(link, commands)
        except TimeoutError as error:
            raise SourceUnavailable(f"Valkey gave no answer in {self._timeout:g} s") from error
        except CAUGHT as error:
            raise translated(error) from error
        return [translated(each) if isinstance(each, Exception) else each for each in answers]

    async def check(self, commands: Iterable[Command], setting: str) -> None:
        """Try whether the store can be asked `commands`, and ignore what they answer.

        Raises InvalidSource, which names `setting`, or `url` where that or its user or password is
        at fault. Raises SourceUnavailable where the store can't answer now.
        """
        try:
            await self.ask([_HELLO])
        except SourceUnavailable:
            raise
        except RetrieverFailed as error:
            raise InvalidSource("url", str(error)) from error
        for answer in await self.ask(list(commands)):
            if isinstance(answer, SourceUnavailable):
                raise answer
            if isinstance(answer, RetrieverFailed):
                at_fault = "url" if isinstance(answer.__cause__, StoreRefuses) else setting
                raise InvalidSource(at_fault, str(answer)) from answer

    async def aclose(self) -> None:
        """Close the connections; those that take too long are left behind."""
        link, self._link = self._link, None
        if link is not None:
            await _close(link)

    async def _find(self) -> StoreLink:
        async with self._finding:
            if self._link is None:
                self._link = await self._connect()
            return self._link

    async def _connect(self) -> StoreLink:
        failure: Exception = SourceUnavailable("Valkey can't be reached")
        for host in self._url.hosts:
            # In the first database, because a Cluster refuses to be asked for another.
            greeted = Single(self._url._replace(database=0), host)
            try:
                async with asyncio.timeout(self._timeout / len(self._url.hosts)):
                    is_cluster = await _is_cluster(greeted)
            except CAUGHT as error:
                failure = error
            else:
                return self._cluster() if is_cluster else self._single(host)
            finally:
                await _close(greeted)
        raise failure

    def _single(self, host: Address) -> StoreLink:
        if len(self._url.hosts) > 1:
            words = "several hosts are for a Cluster, and this is none: give one"
            raise InvalidSource("url", words)
        return Single(self._url, host)

    def _cluster(self) -> StoreLink:
        if self._url.database:
            raise InvalidSource("url", "a Cluster has no database but 0: leave the number out")
        # Half, so that after a frozen server there is time to ask which one has its slots by now.
        return ClusterLink(self._url, timeout=self._timeout / 2)


async def _ask(link: StoreLink, commands: Sequence[Command]) -> Sequence[Any]:
    """Return the answers; scripts that a server hasn't seen are sent to it, once it says so."""
    answers = list(await link.ask(commands))
    unseen = [place for place, each in enumerate(answers) if isinstance(each, NoScriptError)]
    if unseen:
        texts = [Command(commands[place].key, commands[place].unseen) for place in unseen]
        for place, answer in zip(unseen, await link.ask(texts), strict=True):
            answers[place] = answer
    return answers


async def _is_cluster(single: Single) -> bool:
    (hello,) = await single.ask([_HELLO])
    if isinstance(hello, Exception):
        raise hello
    pairs = hello.items() if isinstance(hello, dict) else zip(hello[::2], hello[1::2], strict=True)
    return any(
        name in {b"mode", "mode"} and mode in {b"cluster", "cluster"} for name, mode in pairs
    )


async def _close(link: StoreLink) -> None:
    with contextlib.suppress(*CAUGHT):
        async with asyncio.timeout(CLOSE_SECONDS):
            await link.aclose()
