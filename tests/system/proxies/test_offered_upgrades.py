"""Clients that offer HTTP/2 by an Upgrade of HTTP/1.1, which the gateway does not take."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import httpx
import pytest

pytestmark = pytest.mark.service

ASKED: Final = '{"keys":["Tom","Sam"]}'
FOUND: Final = ('"630"', '"567"')

JAVA: Final = """
import java.net.URI;
import java.net.http.*;

public class Ask {
    public static void main(String[] given) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(given[0]))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(given[1]))
            .build();
        var client = HttpClient.newHttpClient();
        for (int turn = 0; turn < 2; turn++) {
            var response = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(response.statusCode() + " " + response.body());
        }
    }
}
"""


def by_curl(url: str, _: Path) -> Sequence[str]:
    """Return the command by which curl asks twice."""
    one = ["--http2", "-sS", "-H", "Content-Type: application/json", "-d", ASKED]
    one += ["-w", "\n%{http_code} \n", url]
    return ["curl", *one, "--next", *one]


def by_java(url: str, folder: Path) -> Sequence[str]:
    """Return the command by which the JDK's client asks twice."""
    source = folder / "Ask.java"
    source.write_text(JAVA)
    return ["java", str(source), url, ASKED]


CLIENTS: Final = [by_curl, *([by_java] if shutil.which("javac") else [])]
"""Those that are here; a JDK is not always."""


@pytest.mark.parametrize("command", CLIENTS)
async def test_a_post_that_offers_http_2_is_answered(
    direct: httpx.AsyncClient, tmp_path: Path, command: Callable[[str, Path], Sequence[str]]
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    url = str(direct.base_url.join("/groups/scores/keys:batchGet"))
    process = await asyncio.create_subprocess_exec(
        *command(url, tmp_path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    stdout, stderr = await process.communicate()
    said = stdout.decode()
    assert process.returncode == 0, stderr.decode()
    assert said.count("200 ") == 2
    assert all(said.count(value) == 2 for value in FOUND)
