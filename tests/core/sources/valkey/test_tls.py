"""A Redis that is spoken to over TLS."""

import shutil
import subprocess
from pathlib import Path

import pytest
from sources.redis_servers import PASSWORD, RedisServer, free_ports

from cache_core.loading.retriever import InvalidSource
from cache_core.sources import ValkeySource
from cache_core.sources.valkey.retriever import ValkeyRetriever

pytestmark = pytest.mark.service


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Return the files of a key and its certificate for 127.0.0.1."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *(
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=test",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


@pytest.mark.parametrize("scheme", ["valkeys", "rediss"])
async def test_its_certificate_has_to_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    if shutil.which("redis-server") is None or shutil.which("openssl") is None:
        pytest.skip("Redis or OpenSSL is not installed (Debian's redis-server, openssl)")
    key, certificate = self_signed(tmp_path)
    port, tls_port = free_ports(2)
    server = RedisServer(
        tmp_path / "redis",
        port,
        *("--tls-port", str(tls_port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
    )
    source = ValkeySource(url=f"{scheme}://:{PASSWORD}@127.0.0.1:{tls_port}")
    server.start()
    try:
        server.admin.set("Tom", b"630")
        strange = ValkeyRetriever(source, folder=tmp_path)
        with pytest.raises(InvalidSource, match="SSL_CERT_FILE"):
            await strange.check()
        await strange.aclose()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = ValkeyRetriever(source, folder=tmp_path)
        await trusting.check()
        assert await trusting.retrieve("Tom") == b"630"
        await trusting.aclose()
    finally:
        server.kill()
