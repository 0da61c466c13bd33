import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

import pytest
import trustme
from sources.http_origin import HOST, HttpOrigin, always, response

from cache_core import RetrieverFailed, SourceUnavailable, Value
from cache_core.loading.retriever import InvalidSource
from cache_core.resolver import Resolve
from cache_core.sources.http.network import PrivateAddress, permitted
from cache_core.sources.http.retriever import HttpRetriever
from cache_core.sources.http.settings import HttpSource

ANYWHERE = "0.0.0.0"
NAME = "api.example.com"
PRIVATE = "the source has a private address, and allow_private isn't set"
GOOD = always(response(200, b"630"))


class FakeResolver:
    """Knows one answer for every name, which a test may change."""

    def __init__(self, *addresses: str) -> None:
        self.addresses: Iterable[str] = addresses
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Iterable[str]:
        self.asked.append((host, port))
        return self.addresses


Open = Callable[..., HttpRetriever]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Make retrievers of a URL by a resolver, closed after the test."""
    async with contextlib.AsyncExitStack() as closing:

        def make(url: str, resolve: Resolve, **settings: object) -> HttpRetriever:
            source = HttpSource.model_validate({"url": url, **settings})
            retriever = HttpRetriever(source, folder=tmp_path, resolve=resolve)
            closing.push_async_callback(retriever.aclose)
            return retriever

        yield make


@pytest.fixture
async def origin() -> AsyncIterator[HttpOrigin]:
    async with HttpOrigin(GOOD).up() as serving:
        yield serving


@pytest.mark.parametrize("address", [HOST, "::1", "10.0.0.1", "169.254.169.254", "fe80::1"])
async def test_a_name_that_leads_to_a_private_address_is_refused(
    origin: HttpOrigin, opened: Open, address: str
) -> None:
    retriever = opened(f"http://{NAME}:{origin.port}/{{key}}", FakeResolver(address))
    with pytest.raises(RetrieverFailed, match=PRIVATE) as failed:
        await retriever.retrieve("Tom")
    assert not isinstance(failed.value, SourceUnavailable)
    with pytest.raises(InvalidSource, match=PRIVATE) as refused:
        await retriever.check()
    assert refused.value.setting == "allow_private"
    assert origin.connections == 0


@pytest.mark.parametrize("host", [HOST, "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_an_address_in_the_url_is_checked_however_it_is_written(host: str) -> None:
    async with HttpOrigin(GOOD).up() as origin:
        source = HttpSource.model_validate({"url": f"http://{host}:{origin.port}/{{key}}"})
        retriever = HttpRetriever(source, folder=Path())
        async with contextlib.aclosing(retriever):
            with pytest.raises(RetrieverFailed, match=PRIVATE):
                await retriever.retrieve("Tom")
        assert origin.connections == 0


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    origin: HttpOrigin, opened: Open
) -> None:
    resolve = FakeResolver(HOST)
    url = f"http://{NAME}:{origin.port}/{{key}}"
    retriever = opened(url, resolve, allow_private=True)
    assert await retriever.retrieve("Tom") == Value(b"630")
    assert await retriever.retrieve("Jack") == Value(b"630")
    assert resolve.asked == [(NAME, origin.port)]
    assert {asked.headers["host"] for asked in origin.asked} == {f"{NAME}:{origin.port}"}


async def test_a_name_is_checked_again_with_each_connection(
    origin: HttpOrigin, opened: Open
) -> None:
    """A name may lead elsewhere once it has been found to be public."""
    resolve = FakeResolver()
    retriever = opened(f"http://{NAME}:{origin.port}/{{key}}", resolve)
    with pytest.raises(SourceUnavailable):
        await retriever.check()
    resolve.addresses = [HOST]
    with pytest.raises(RetrieverFailed, match=PRIVATE):
        await retriever.retrieve("Tom")
    assert origin.connections == 0


async def test_the_next_address_is_tried_where_one_takes_no_connection(
    origin: HttpOrigin, opened: Open
) -> None:
    resolve = FakeResolver("127.0.0.2", HOST)
    retriever = opened(f"http://{NAME}:{origin.port}/{{key}}", resolve, allow_private=True)
    assert await retriever.retrieve("Tom") == Value(b"630")


def test_of_public_and_private_addresses_only_the_public_ones_are_tried() -> None:
    found = ["10.0.0.1", "8.8.8.8", "::1", "8.8.8.8", "2606::1"]
    assert permitted(found, allow_private=False) == ["8.8.8.8", "2606::1"]
    assert permitted(found, allow_private=True) == ["10.0.0.1", "8.8.8.8", "::1", "2606::1"]
    assert permitted([], allow_private=False) == []
    with pytest.raises(PrivateAddress):
        permitted(["10.0.0.1", "::1"], allow_private=False)


async def test_a_name_without_an_address_is_unavailable(opened: Open) -> None:
    async def unknown(_host: str, _port: int) -> Iterable[str]:
        raise OSError(-2, "Name or service not known")

    for resolve in (unknown, FakeResolver()):
        retriever = opened(f"http://{NAME}/{{key}}", resolve)
        with pytest.raises(SourceUnavailable, match="the source can't be reached"):
            await retriever.retrieve("Tom")
        with pytest.raises(SourceUnavailable, match="the source can't be reached"):
            await retriever.check()


async def test_a_resolver_that_hangs_is_not_waited_for(opened: Open) -> None:
    async def hanging(_host: str, _port: int) -> Iterable[str]:
        await asyncio.Event().wait()
        raise AssertionError

    retriever = opened(f"http://{NAME}/{{key}}", hanging, connect_timeout="50ms")
    async with asyncio.timeout(3):
        with pytest.raises(SourceUnavailable, match="took no connection in time"):
            await retriever.retrieve("Tom")


@contextlib.contextmanager
def silent(host: str, port: int = 0) -> Iterator[int]:
    """Have a port that neither takes nor refuses a connection, because its queue is full."""
    with socket.socket() as listening, socket.socket() as queued:
        listening.bind((host, port))
        listening.listen(0)
        bound: int = listening.getsockname()[1]
        queued.connect((HOST if host == ANYWHERE else host, bound))
        yield bound


async def test_the_next_address_is_tried_where_one_says_nothing(
    origin: HttpOrigin, opened: Open
) -> None:
    resolve = FakeResolver("127.0.0.2", HOST)
    url = f"http://{NAME}:{origin.port}/{{key}}"
    with silent("127.0.0.2", origin.port):
        retriever = opened(url, resolve, allow_private=True, connect_timeout="500ms")
        assert await retriever.retrieve("Tom") == Value(b"630")


async def test_many_addresses_that_say_nothing_have_the_time_of_one(opened: Open) -> None:
    resolve = FakeResolver(*(f"127.0.0.{number}" for number in range(2, 52)))
    with silent(ANYWHERE) as port:
        url = f"http://{NAME}:{port}/{{key}}"
        retriever = opened(url, resolve, allow_private=True, connect_timeout="100ms")
        async with asyncio.timeout(3):  # of the five that all of them would take
            with pytest.raises(SourceUnavailable, match="took no connection in time"):
                await retriever.retrieve("Tom")


class Tls:
    """An origin with a certificate for NAME, and the file of the CA that signed it."""

    def __init__(self, folder: Path, *, identity: str = NAME) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(identity).configure_cert(context)
        context.sni_callback = self._note
        self.origin = HttpOrigin(GOOD, context)

    def _note(self, _socket: object, name: str | None, _context: object) -> None:
        self.names.append(name)

    def url(self) -> str:
        return f"https://{NAME}:{self.origin.port}/{{key}}"


async def test_tls_speaks_to_the_name_at_the_checked_address(tmp_path: Path, opened: Open) -> None:
    tls = Tls(tmp_path)
    async with tls.origin.up():
        trusting = {"allow_private": True, "ca_file": "ca.pem"}
        retriever = opened(tls.url(), FakeResolver(HOST), **trusting)
        await retriever.check()
        assert await retriever.retrieve("Tom") == Value(b"630")
    assert tls.names == [NAME]


@pytest.mark.parametrize("identity", [NAME, "other.example.com"])
async def test_a_certificate_that_is_not_trusted_is_said_so(
    tmp_path: Path, opened: Open, identity: str
) -> None:
    tls = Tls(tmp_path, identity=identity)
    trusted = {} if identity == NAME else {"ca_file": "ca.pem"}
    async with tls.origin.up():
        retriever = opened(tls.url(), FakeResolver(HOST), allow_private=True, **trusted)
        with pytest.raises(SourceUnavailable, match=r"certificate is not trusted$"):
            await retriever.retrieve("Tom")
        with pytest.raises(InvalidSource, match=r"not trusted \(.+\); a CA of your own") as refused:
            await retriever.check()
    assert refused.value.setting == "ca_file"
    assert tls.origin.asked == []


@pytest.mark.parametrize(
    ("text", "words"), [(None, "No such file"), ("no PEM", "has no certificates in PEM")]
)
def test_a_ca_file_that_can_not_be_used_is_refused(
    tmp_path: Path, opened: Open, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    with pytest.raises(InvalidSource, match=words) as refused:
        opened(f"https://{NAME}/{{key}}", FakeResolver(), ca_file="ca.pem")
    assert refused.value.setting == "ca_file"


async def test_proxies_of_the_environment_are_not_used(
    origin: HttpOrigin, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    url = f"http://{NAME}:{origin.port}/{{key}}"
    retriever = opened(url, FakeResolver(HOST), allow_private=True)
    assert await retriever.retrieve("Tom") == Value(b"630")
