"""A bucket in moto's S3, which knows one user and checks each request's signature."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store
from sources.bucket_server import BucketServer
from sources.rig import MakeRig

from cache_core.sources.files.settings import FilesSource

BUCKET = "things"
ANY_KEYS = (
    "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/{service}/aws4_request, "
    "SignedHeaders=host, Signature=any"
)
MAY_ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


class S3Rig:
    """The bucket; what was put is put again once the server, which forgets all, is back."""

    def __init__(self, server: BucketServer) -> None:
        self._server = server
        self.url = server.url
        self._objects: dict[str, bytes] = {}
        self.access_key = self.secret = ""

    @property
    def source(self) -> FilesSource:
        return FilesSource.model_validate(
            {
                "url": f"s3://{BUCKET}/folder",
                "endpoint": self._server.url,
                "region": "us-east-1",
                "access_key": self.access_key,
                "secret_key": self.secret,
            }
        )

    def wrong_password(self) -> FilesSource:
        given = self.source.model_dump()
        return FilesSource.model_validate({**given, "secret_key": "wrong"})

    async def put(self, key: str, data: bytes) -> None:
        self._objects[key] = data
        await obstore.put_async(
            S3Store(
                BUCKET,
                prefix="folder",
                endpoint=self._server.url,
                region="us-east-1",
                access_key_id=self.access_key,
                secret_access_key=self.secret,
                client_options={"allow_http": True},
            ),
            key,
            data,
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
        """Have nothing but the user and the bucket, and every signature checked."""
        async with httpx.AsyncClient(
            base_url=self._server.url, trust_env=False, timeout=30
        ) as http:
            iam = {"Authorization": ANY_KEYS.format(service="iam")}
            s3 = {"Authorization": ANY_KEYS.format(service="s3")}
            as_text = {"Content-Type": "text/plain"}
            user = {"UserName": "Tom", "Version": "2010-05-08"}
            policy = {"PolicyName": "all", "PolicyDocument": MAY_ALL}
            answers = [
                await http.post("/moto-api/reset"),
                await http.post("/moto-api/reset-auth", content=b"inf", headers=as_text),
                await http.post("/moto-api/seed", params={"a": "7"}),  # the same keys each time
                await http.post("/", data={"Action": "CreateUser", **user}, headers=iam),
                await http.post(
                    "/", data={"Action": "PutUserPolicy", **user, **policy}, headers=iam
                ),
                made := await http.post(
                    "/", data={"Action": "CreateAccessKey", **user}, headers=iam
                ),
                await http.put(f"/{BUCKET}", headers=s3),
                await http.post("/moto-api/reset-auth", content=b"0", headers=as_text),
            ]
        assert [answer.status_code for answer in answers] == [200] * len(answers)
        self.access_key = _between(made.text, "AccessKeyId")
        self.secret = _between(made.text, "SecretAccessKey")


def _between(text: str, tag: str) -> str:
    return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]


def s3(server: BucketServer) -> MakeRig:
    """Return what makes rigs over `server`, one at a time."""

    @contextlib.asynccontextmanager
    async def make(_folder: Path) -> AsyncIterator[S3Rig]:
        rig = S3Rig(server)
        await rig.set_up()
        try:
            yield rig
        finally:
            await rig.mend()

    return make
