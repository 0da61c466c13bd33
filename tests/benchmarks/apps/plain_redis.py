"""The cache that most would build: a FastAPI route in front of Redis.

python plain_redis.py PORT REDIS_PORT
"""

import sys

import redis.asyncio
import uvicorn
from fastapi import FastAPI, HTTPException

app = FastAPI()
# The default pool refuses the 101st request that is under way.
pool = redis.asyncio.BlockingConnectionPool(port=int(sys.argv[2]), timeout=None)
store = redis.asyncio.Redis.from_pool(pool)


@app.get("/groups/{group}/keys/{key:path}")
async def get(group: str, key: str) -> dict[str, str]:
    value = await store.get(f"{group}:{key}")
    if not isinstance(value, bytes):
        raise HTTPException(404)
    return {"group": group, "key": key, "value": value.decode(), "encoding": "utf-8"}


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
