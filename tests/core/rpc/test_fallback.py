import os
import tempfile

import pytest

from cache_core.rpc.engine import EngineFailed
from cache_core.rpc.native.fallback import MAX_PATH_BYTES, Fallback

SOCKET = len("/gaocache-xxxxxxxx/grpcio.sock")


async def test_a_folder_too_long_for_a_socket_in_bytes_is_told_whatever_its_letters(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = tmp_path_factory.mktemp("s")
    folder = short / ("é" * (MAX_PATH_BYTES - SOCKET - len(str(short)) - 1))
    folder.mkdir()
    assert len(os.fsencode(folder)) + SOCKET > MAX_PATH_BYTES
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    fallback = Fallback()
    with pytest.raises(EngineFailed, match="is too long for a socket; set TMPDIR"):
        await fallback.start()
    await fallback.stop()
    assert list(folder.iterdir()) == []
