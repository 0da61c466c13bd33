import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cluster.fleet import free_addresses
from fakes import FakeClock, FakeSource
from proxies.nginx import nginx
from proxies.origin import Origin
from proxies.varnish import varnish

PROXIES = {"nginx": nginx, "varnish": varnish}


@pytest.fixture
async def origin(source: FakeSource, clock: FakeClock) -> AsyncIterator[Origin]:
    origin = Origin(source, clock)
    async with origin.up():
        yield origin


@pytest.fixture
async def direct(origin: Origin) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the gateway itself."""
    async with client_of(origin.address) as client:
        yield client


@pytest.fixture(params=PROXIES)
async def proxied(
    request: pytest.FixtureRequest, origin: Origin, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """Asks each proxy in front of the gateway."""
    (address,) = free_addresses(1)
    async with PROXIES[request.param](tmp_path, origin.address, address), client_of(address) as c:
        yield c


@contextlib.asynccontextmanager
async def client_of(address: str) -> AsyncIterator[httpx.AsyncClient]:
    # It asks for what a test names, and for no coding of its own.
    headers = {"Accept-Encoding": "identity"}
    async with httpx.AsyncClient(
        base_url=f"http://{address}", headers=headers, trust_env=False, timeout=10
    ) as client:
        yield client
