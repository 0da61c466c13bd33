"""Debian's nginx with the configuration that the page on the gateway gives."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from documents import blocks, document
from proxies.proxy import running

# What Debian's own nginx.conf is around a file in conf.d, but for what concerns files and users.
AROUND = """\
user root root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
access_log off;
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
{given}
}}
"""


def configuration(folder: Path, origin: str, address: str) -> str:
    """Return nginx.conf around the page's text with the ports and paths of the test."""
    (given,) = blocks(document("gateway/README.md"), "nginx")
    for written, here in (
        ("/var/cache/nginx/gaocache", str(folder / "cache")),
        ("127.0.0.1:8000", origin),
        ("listen 80;", f"listen {address};"),
    ):
        assert given.count(written) == 1
        given = given.replace(written, here)
    return AROUND.format(folder=folder, given=given)


@contextlib.asynccontextmanager
async def nginx(folder: Path, origin: str, address: str) -> AsyncIterator[None]:
    """nginx at `address` in front of `origin`."""
    file = folder / "nginx.conf"
    file.write_text(configuration(folder, origin, address))
    command = ("nginx", "-p", folder, "-c", file, "-e", "stderr")
    async with running(command, "nginx", b"start worker process "):
        yield
