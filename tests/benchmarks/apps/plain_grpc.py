"""A gateway as anyone would write it: a FastAPI route that awaits a node's Get.

python plain_grpc.py PORT NODE
"""

import contextlib
import sys
from collections.abc import AsyncIterator

import grpc.aio
import uvicorn
from fastapi import FastAPI

from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.pb.gaocache_pb2_grpc import GaocacheStub


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    options = (("grpc.max_receive_message_length", 5 * 1024 * 1024),)
    async with grpc.aio.insecure_channel(sys.argv[2], options=options) as channel:
        app.state.stub = GaocacheStub(channel)
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/groups/{group}/keys/{key:path}")
async def get(group: str, key: str) -> dict[str, str]:
    response: GetResponse = await app.state.stub.Get(GetRequest(group=group, key=key), timeout=2)
    return {"group": group, "key": key, "value": response.value.decode(), "encoding": "utf-8"}


uvicorn.run(
    app,
    port=int(sys.argv[1]),
    loop="uvloop",
    http="httptools",
    ws="none",
    access_log=False,
    log_level="error",
)
