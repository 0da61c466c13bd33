"""A grpc.aio handler that returns constant bytes: what no node on that engine can exceed.

python bare_grpcio.py PORT BYTES
"""

import asyncio
import sys

import grpc
import grpc.aio
import uvloop

from cache_core.pb.gaocache_pb2 import GetResponse

answer = GetResponse(value=b"x" * int(sys.argv[2])).SerializeToString()


async def get(_request: bytes, _context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
    return answer


async def serve() -> None:
    server = grpc.aio.server()
    handlers = {"Get": grpc.unary_unary_rpc_method_handler(get)}
    service = grpc.method_handlers_generic_handler("gaocachepb.Gaocache", handlers)
    server.add_generic_rpc_handlers((service,))
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    await server.start()
    await asyncio.Event().wait()


uvloop.run(serve())
