"""How long one request of each costly kind holds everybody up.

python tests/benchmarks/expensive_requests.py [--rounds N] [--json FILE]
"""

import asyncio
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from cache_core import Group, GroupSettings, Node
from gateway.http.limits import Limits
from gateway.server.serving import serve

MOST_MILLISECONDS: Final = 20.0
"""No request should hold the event loop for longer."""

HEAD: Final = b" HTTP/1.1\r\nHost: localhost\r\n"
TOM: Final = b"GET /groups/g/keys/Tom" + HEAD
BATCH: Final = b"POST /groups/g/keys:batchGet" + HEAD + b"Content-Type: application/json\r\n"
MIB: Final = 1024 * 1024


def main(
    rounds: Annotated[int, typer.Option(min=1, help="The median of so many is told.")] = 5,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the figures here.")
    ] = None,
) -> None:
    """Send a request of each kind, and tell for how long the event loop was held at the most."""
    held = uvloop.run(_held(rounds))
    table = Table("request", "ms")
    for name, milliseconds in sorted(held.items(), key=lambda item: -item[1]):
        style = "red" if milliseconds > MOST_MILLISECONDS else ""
        table.add_row(name, f"{milliseconds:.1f}", style=style)
    Console().print(table)
    if json_file is not None:
        json_file.write_text(json.dumps(held, indent=2) + "\n")


def requests() -> Mapping[str, bytes]:
    """Return a request of each kind that might be costly, by its name."""
    name = b"a" * 120
    return {
        "a plain GET": TOM + b"\r\n",
        "99 headers": TOM + b"X: a\r\n" * 98 + b"\r\n",
        "32 KiB of headers": TOM + b"X: " + b"a" * 32_000 + b"\r\n\r\n",
        "3,000 headers": TOM + b"X: a\r\n" * 3_000 + b"\r\n",
        "a header without an end": TOM + b"X: " + b"a" * 250_000,
        "a target of 8 KiB": b"GET /groups/g/keys/" + b"%41" * 2_700 + HEAD + b"\r\n",
        "a query of 8 KiB": b"GET /groups/g/keys?" + b"a&" * 4_000 + HEAD + b"\r\n",
        "a query of 1,000 keys": b"GET /groups/g/keys?" + b"key=a&" * 1_300 + HEAD + b"\r\n",
        "7,000 ranges": TOM + b"Range: bytes=" + b"0-0," * 7_000 + b"\r\n\r\n",
        "Accept of 32 KiB": TOM + b"Accept: " + b"a/b," * 8_000 + b"\r\n\r\n",
        "Accept of 1 KiB": TOM + b"Accept: " + b"a/b;q=0.1," * 100 + b"\r\n\r\n",
        "Accept-Encoding of 1 KiB": TOM + b"Accept-Encoding: " + b"a;q=0.1," * 125 + b"\r\n\r\n",
        "If-None-Match of 32 KiB": TOM + b"If-None-Match: " + b'"a",' * 8_000 + b"\r\n\r\n",
        "tracestate of 32 KiB": TOM
        + b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
        + b"tracestate: "
        + b"a=b," * 8_000
        + b"\r\n\r\n",
        "a preflight": b"OPTIONS /groups/g/keys/Tom"
        + HEAD
        + b"Origin: http://a\r\nAccess-Control-Request-Method: GET\r\n"
        + b"Access-Control-Request-Headers: "
        + b"a," * 15_000
        + b"\r\n\r\n",
        "2,000 requests at once": (TOM + b"\r\n") * 2_000,
        "2,000 odd requests at once": (TOM + b"X: a\r\n\r\n") * 2_000,
        "4 MiB of empty lists": _batch(b'{"keys":[' + b"[]," * 1_398_000 + b"[]]}"),
        "4 MiB of short keys": _batch(b'{"keys":[' + b'"a",' * 1_048_000 + b'"a"]}'),
        "a key of 4 MiB": _batch(b'{"keys":["' + b"a" * (4 * MIB - 20) + b'"]}'),
        "4 MiB of spaces": _batch(b" " * (4 * MIB - 20) + b'{"keys":[]}'),
        "4 MiB of other members": _batch(b"{" + b'"a":0,' * 699_000 + b'"keys":[]}'),
        "4 MiB in chunks of one byte": BATCH
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"1\r\na\r\n" * 699_000
        + b"0\r\n\r\n",
        "1,000 keys": _batch(json.dumps({"keys": [f"{n}" for n in range(1_000)]}).encode()),
        "1,000 keys of 1 KiB": _batch(
            json.dumps({"keys": [f"{n:04}" * 256 for n in range(1_000)]}).encode()
        ),
        "a value of 4 MiB": b"GET /groups/g/keys/large" + HEAD + b"\r\n",
        "a value of 4 MiB, zipped": b"GET /groups/g/keys/large"
        + HEAD
        + b"Accept-Encoding: gzip\r\n\r\n",
        "the OpenAPI document": b"GET /openapi.json" + HEAD + b"\r\n",
        "the groups": b"GET /groups" + HEAD + b"\r\n",
        "the cluster": b"GET /cluster" + HEAD + b"\r\n",
        "the landing page": b"GET /" + HEAD + b"Accept: text/html\r\n\r\n",
        "a name that is not served": b"GET / HTTP/1.1\r\nHost: " + name + b".example\r\n\r\n",
        "garbage": b"\x16\x03\x01" * 80_000,
    }


def _batch(body: bytes) -> bytes:
    return BATCH + b"Content-Length: %d\r\n\r\n" % len(body) + body


class _Source:
    """Knows `large`, and of every other key its name."""

    async def retrieve(self, key: str) -> bytes:
        return b"x" * (4 * MIB - 1024) if key == "large" else key.encode()

    async def aclose(self) -> None:
        """Let go of nothing."""


async def _held(rounds: int) -> Mapping[str, float]:
    """Return the milliseconds for which each request has held the loop, the median of `rounds`."""
    stop = asyncio.Event()
    group = Group("g", _Source(), GroupSettings(capacity="64MiB"))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        async with Node("127.0.0.1:0", [group]) as node:
            serving = asyncio.create_task(
                serve(
                    sock,
                    node.address,
                    stop.wait(),
                    limits=Limits(timeout=10),
                    drain=0,
                    grace=1,
                    access_log=False,
                    near_cache=32 * MIB,
                )
            )
            try:
                port = sock.getsockname()[1]
                found = {
                    name: [await _longest_turn(port, request) for _ in range(rounds)]
                    for name, request in requests().items()
                }
            finally:
                stop.set()
                await serving
    return {name: median(turns) for name, turns in found.items()}


async def _longest_turn(port: int, request: bytes) -> float:
    """Return the most milliseconds between two turns of the loop while `request` is answered."""
    asking = asyncio.create_task(asyncio.to_thread(_ask, port, request))
    longest, before = 0.0, time.perf_counter()
    while not asking.done():
        await asyncio.sleep(0.0005)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    return longest * 1000


def _ask(port: int, request: bytes) -> None:
    """Send the request and read until nothing comes for a moment."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.settimeout(0.3)
        try:
            sock.sendall(request)
            while sock.recv(1 << 20):
                pass
        except (TimeoutError, ConnectionError):
            pass


if __name__ == "__main__":
    typer.run(main)
