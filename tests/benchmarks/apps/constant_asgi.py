"""A raw ASGI app with a constant answer: what no app behind uvicorn can exceed.

python constant_asgi.py PORT BYTES
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

body = b"x" * int(sys.argv[2])
headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]


async def app(
    _scope: MutableMapping[str, Any],
    _receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


uvicorn.run(
    app,
    port=int(sys.argv[1]),
    loop="uvloop",
    http="httptools",
    ws="none",
    lifespan="off",
    access_log=False,
    log_level="error",
)
