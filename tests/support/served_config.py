"""A config that `gaocache init` wrote, served."""

from pathlib import Path

import httpx
from processes import Start


async def asked(
    start: Start, config: Path, *paths: str, **environment: str
) -> list[httpx.Response]:
    """Serve the config, and ask for the paths."""
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    up = await start("up", *free_ports, "--config", str(config), **environment)
    url = await up.until(r"gateway  (http://\S+)")
    async with httpx.AsyncClient(trust_env=False) as http:
        return [await http.get(url + path) for path in paths]
