"""Code of one's own in a module beside the config: an object with options, and a function."""

import contextlib
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from cache_core.sources.python.settings import PythonSource

SECRET = "hunter2"

MODULE = """
import asyncio
import time
from pathlib import Path

STORE = Path(__file__).with_name("store")


def look_up(key):
    if (STORE / "gone").exists():
        raise ConnectionRefusedError("nobody there")
    file = STORE / f"thing-{key.encode().hex()[:200]}"
    return file.read_bytes() if file.exists() else None


def retrieve(key):
    while (STORE / "hung").exists():
        time.sleep(0.01)
    return look_up(key)


class Things:
    def __init__(self, *, password):
        self._password = password

    async def retrieve(self, key):
        if (STORE / "hung").exists():
            await asyncio.Event().wait()
        return look_up(key)

    async def check(self):
        look_up("")
        if self._password != "hunter2":
            raise PermissionError(f"the password {self._password} is refused")
"""


class PythonRig:
    """Things in files of a folder; whether they are gone or hung is a file there too."""

    def __init__(self, folder: Path) -> None:
        self.name = f"things_{uuid.uuid4().hex}"
        (folder / f"{self.name}.py").write_text(MODULE)
        self._store = folder / "store"
        self._store.mkdir()

    async def put(self, key: str, data: bytes) -> None:
        (self._store / f"thing-{key.encode().hex()[:200]}").write_bytes(data)

    async def break_off(self) -> None:
        (self._store / "gone").touch()

    async def mend(self) -> None:
        for name in ("gone", "hung"):
            (self._store / name).unlink(missing_ok=True)

    async def hang(self) -> None:
        (self._store / "hung").touch()


class ObjectRig(PythonRig):
    """The object, which wants a password."""

    secret = SECRET

    @property
    def source(self) -> PythonSource:
        return self._with_password(SECRET)

    def wrong_password(self) -> PythonSource:
        return self._with_password("not it")

    def _with_password(self, password: str) -> PythonSource:
        return PythonSource(target=f"{self.name}:Things", options={"password": password})


class FunctionRig(PythonRig):
    """The function, which has nothing to check but that it is there."""

    secret = ""

    @property
    def source(self) -> PythonSource:
        return PythonSource(target=f"{self.name}:retrieve", check_key="Tom")

    def wrong_password(self) -> None:
        return None


@contextlib.asynccontextmanager
async def python_object(folder: Path) -> AsyncIterator[ObjectRig]:
    rig = ObjectRig(folder)
    async with _importable(rig):
        yield rig


@contextlib.asynccontextmanager
async def python_function(folder: Path) -> AsyncIterator[FunctionRig]:
    rig = FunctionRig(folder)
    async with _importable(rig):
        yield rig


@contextlib.asynccontextmanager
async def _importable(rig: PythonRig) -> AsyncIterator[None]:
    path = list(sys.path)
    try:
        yield
    finally:
        await rig.mend()
        sys.path[:] = path
        sys.modules.pop(rig.name, None)
