"""Debian's Varnish with its built-in rules, which heed the gateway's headers, and one more."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from proxies.proxy import running

# Else the error that a refresh ends in would take the stale value's place.
VCL = """\
vcl 4.1;
backend gaocache {{ .host = "{host}"; .port = "{port}"; }}
sub vcl_backend_response {{
    if (bereq.is_bgfetch && beresp.status >= 500) {{ return (abandon); }}
}}
"""


@contextlib.asynccontextmanager
async def varnish(folder: Path, origin: str, address: str) -> AsyncIterator[None]:
    """Varnish at `address` in front of `origin`."""
    host, _, port = origin.rpartition(":")
    file = folder / "gaocache.vcl"
    file.write_text(VCL.format(host=host, port=port))
    command = (
        *("varnishd", "-F", "-n", folder / "work", "-f", file, "-a", address),
        *("-s", "malloc,16m", "-j", "none"),
        # By default it answers stale for 10 s where the origin says nothing of the kind, and
        # keeps nothing past that which it could revalidate.
        *("-p", "default_grace=0", "-p", "default_keep=60"),
    )
    async with running(command, "varnish", b"Child starts"):
        yield
