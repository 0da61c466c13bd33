"""Whatever goes wrong is one clear line and a non-zero exit, never a traceback."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeSource
from processes import Run, Start

from cache_core import Node


@pytest.fixture
def taken() -> Iterator[str]:
    """An address that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield f"127.0.0.1:{sock.getsockname()[1]}"


def in_use(address: str) -> str:
    """What is said of an address that somebody listens at."""
    return (
        f"gaocache: can't listen at {address}: Address already in use; "
        "stop what listens there or choose another port\n"
    )


async def test_a_port_in_use_for_a_node(start: Start, taken: str) -> None:
    ended = await (await start("node", "--listen", taken)).end()
    assert (ended.status, ended.stderr) == (1, in_use(taken))


async def test_a_port_in_use_for_a_gateway(run: Run, taken: str) -> None:
    ended = await run("gateway", "--listen", taken)
    assert (ended.status, ended.stderr) == (1, in_use(taken))


@pytest.mark.slow
async def test_a_port_in_use_for_up(start: Start, taken: str) -> None:
    for options in (
        ("--listen", taken, "--node-listen", "127.0.0.1:0"),
        ("--listen", "127.0.0.1:0", "--node-listen", taken),
    ):
        ended = await (await start("up", *options)).end()
        assert (ended.status, ended.stdout, ended.stderr) == (1, b"", in_use(taken))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("up", "--nodez", "3"), "No such option: --nodez"),
        (("up", "--nodes", "0"), "Invalid value for '--nodes'"),
        (("up", "--nodes", "3", "--node-listen", "127.0.0.1:65534"), "go past 65535"),
        (("gateway", "--timeout", "40"), "--timeout: max_timeout should be at least timeout, 40"),
        (
            ("up", "--timeout", "3", "--max-timeout", "2"),
            "--max-timeout: max_timeout should be at least timeout, 3",
        ),
        (("gateway", "--max-timeout", "0"), "--max-timeout: input should be greater than"),
        (
            ("gateway", "--cors-origin", "app.example.com"),
            "--cors-origin: 'app.example.com' should be like",
        ),
        (("up", "--cors-origin", "https://a/"), "should be like https://app.example.com"),
        (("node", "--peers", "consul://a:1"), "--peers: unknown kind"),
        (("node", "--peers", "static://a"), "--peers: 'a' is no host:port"),
        (("node", "--listen", "0.0.0.0:1", "--peers", "static://a:1"), "--advertise HOST:PORT"),
        (("node", "--listen", "[::]:1", "--peers", "static://a:1"), "--advertise HOST:PORT"),
        (("node", "--advertise", "10.0.0.5"), "--advertise: invalid addr"),
        (("node", "--advertise", "a:0"), "--advertise: a:0 has no port"),
        (("node", "--weight", "0"), "--weight: input should be greater than"),
        (("node", "--weight", "101"), "--weight: input should be less than"),
        (("node", "--drain", "-1"), "--drain: it should be seconds"),
        (("gateway", "--peers", "dns://a"), "--peers: 'a' is no host:port"),
        (("gateway", "--node", "a:1", "--peers", "static://b:1"), "--node: node and peers exclude"),
        (("get", "g", "k", "--node", "a:1", "--peers", "b:1"), "--node and --peers exclude each"),
        (("get", "g", "k", "--peers", "b:1", "--gateway", "http://a"), "--peers and --gateway"),
        (("rm", "g"), "Missing argument 'KEY'; see gaocache rm --help"),
        (("rm", "g", "a\udcff"), "Invalid value for 'KEY': it should be UTF-8"),
        (("rm", "g", "k", "--node", "a:1", "--peers", "b:1"), "--node and --peers exclude each"),
        (("rm", "g", "k", "--timeout", "0"), "Invalid value for '--timeout'"),
        (("flush",), "Missing argument 'GROUP'; see gaocache flush --help"),
        (("flush", "g", "--peers", "static://"), "Invalid value for '--peers'"),
        (("cluster", "--node", "a:1", "--peers", "b:1"), "--node and --peers exclude each"),
        (("cluster", "--node", "nowhere"), "Invalid value for '--node'"),
        (("node", "--listen", "8080"), "invalid addr 8080, it should be x.x.x.x:port"),
        (("gateway", "--node", "nowhere"), "invalid addr nowhere, it should be x.x.x.x:port"),
        (("gateway", "--timeout", "0"), "--timeout: input should be greater than"),
        (("gateway", "--timeout", "inf"), "--timeout: it should be seconds"),
        (("gateway", "--grace", "inf"), "--grace: it should be seconds"),
        (("up", "--grace", "nan"), "--grace: it should be seconds"),
        (("get", "g", "k", "--timeout", "nan"), "Invalid value for '--timeout'"),
        (("get", "g", "k", "--timeout", "inf", "--gateway", "http://a"), "for '--timeout'"),
        (("get", "g", "k", "--timeout", "1e300", "--gateway", "http://a"), "for '--timeout'"),
        (("node", "--listen", "127.0.0.1:" + "9" * 5_000), "it should be x.x.x.x:port"),
        (("get", "scores"), "Missing argument 'KEY'; see gaocache get --help"),
        (("get", "scores", "a\udcff"), "Invalid value for 'KEY': it should be UTF-8"),
        (("get", "g", "k", "--gateway", "localhost:1"), "it should be like http://"),
        (("get", "g", "k", "--gateway", "ftp://a"), "it should be like http://"),
        (("get", "g", "k", "--gateway", ""), "it should be like http://"),
        (("get", "g", "k", "--node", "a:1", "--gateway", "http://a"), "exclude each other"),
        (("fly",), "No such command 'fly'"),
        (("node", "--log-level", "loud"), "--log-level: input should be 'debug', 'info'"),
    ],
)
async def test_a_bad_option(run: Run, arguments: tuple[str, ...], words: str) -> None:
    ended = await run(*arguments)
    assert ended.status == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("gaocache: ")
    assert words in ended.stderr


async def test_a_node_that_cannot_be_reached(run: Run, free: str) -> None:
    ended = await run("get", "scores", "Tom", "--node", free)
    assert ended.status == 3
    assert ended.stderr == (f"gaocache: node {free} can't be reached; is gaocache up running?\n")


@pytest.mark.parametrize(
    "command", [("rm", "scores", "Tom"), ("flush", "scores"), ("cluster",), ("cluster", "--json")]
)
async def test_a_cluster_that_cannot_be_reached(
    run: Run, free: str, command: tuple[str, ...]
) -> None:
    ended = await run(*command, "--node", free)
    assert (ended.status, ended.stdout) == (3, b"")
    assert ended.stderr == f"gaocache: node {free} can't be reached; is gaocache up running?\n"


async def test_a_list_of_peers_without_the_node_itself(start: Start, free: str) -> None:
    peers = f"static://{free}"
    node = await start("node", "--listen", "127.0.0.1:0", "--peers", peers)
    ended = await node.end()
    assert (ended.status, ended.stdout) == (1, b"")
    assert ended.stderr.count("\n") == 1
    assert free in ended.stderr
    assert "--advertise" in ended.stderr


async def test_a_gateway_that_cannot_be_reached(run: Run, free: str) -> None:
    ended = await run("get", "scores", "Tom", "--gateway", f"http://{free}")
    assert ended.status == 3
    assert ended.stderr == (
        f"gaocache: gateway http://{free} can't be reached; is gaocache up running?\n"
    )


async def test_an_address_that_is_not_this_machines(run: Run) -> None:
    ended = await run("gateway", "--listen", "192.0.2.1:0")
    assert ended.status == 1
    assert ended.stderr.endswith("choose an address of this machine and a port that you may use\n")


async def test_a_key_in_an_error_cannot_break_its_line(run: Run, node: Node) -> None:
    ended = await run("get", "scores", "a\x1b[31mb", "--node", node.address)
    assert ended.stderr == "gaocache: a\\x1b[31mb not exist\n"


@pytest.mark.parametrize("key", ["Tom", "binary"])
async def test_an_output_that_is_full(start: Start, node: Node, key: str) -> None:
    with os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb") as full:
        getting = await start("get", "scores", key, "--node", node.address, stdout=full)
        ended = await getting.end()
    assert ended.status == 3
    assert ended.stderr == "gaocache: can't write the output: No space left on device\n"


@pytest.mark.parametrize("command", [("get", "scores", "large"), ("openapi",)])
async def test_an_output_that_nobody_reads(
    start: Start, node: Node, source: FakeSource, command: tuple[str, ...]
) -> None:
    source.values["large"] = b"x" * 1_000_000
    options = ("--node", node.address) if command[0] == "get" else ()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = await (await start(*command, *options, stdout=pipe)).end()
    assert ended.status == 3
    assert ended.stderr == "gaocache: can't write the output: Broken pipe\n"


async def test_the_bare_command_teaches(run: Run) -> None:
    ended = await run()
    assert ended.status == 2
    assert b"Usage: gaocache" in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize("command", ["up", "node"])
async def test_a_mistake_in_the_config(run: Run, tmp_path: Path, command: str) -> None:
    config = tmp_path / "my.toml"
    config.write_text(
        '[groups.scores]\ncapasity = "1MiB"\nsource = {kind = "sql", url = "", query = ""}'
    )
    ended = await run(command, "--config", str(config))
    assert ended.status == 1
    assert ended.stderr == (
        f"gaocache: {config}:2: groups.scores.capasity: unknown, did you mean capacity?\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["up", "node"])
async def test_a_database_that_is_not_there(start: Start, tmp_path: Path, command: str) -> None:
    config = tmp_path / "my.toml"
    config.write_text(
        '[groups.g]\nsource = {kind = "sql", url = "sqlite:///no.db", query = "SELECT :key"}'
    )
    free_ports = ("--listen", "127.0.0.1:0")
    ended = await (await start(command, "--config", str(config), *free_ports)).end()
    assert ended.status == 1
    assert ended.stderr == (
        f"gaocache: {config}:2: groups.g.source.url: there is no SQLite file {tmp_path}/no.db\n"
    )


async def test_a_data_directory_that_cannot_be_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = await run("up", "--data-dir", str(tmp_path / "file"))
    assert ended.status == 1
    assert ended.stderr == (
        f"gaocache: can't make the demo's files in {tmp_path}/file: File exists; "
        "choose another folder with --data-dir\n"
    )


async def test_help_teaches_with_examples(run: Run) -> None:
    for command in ("up", "node", "gateway", "check", "get", "rm", "flush", "cluster", "openapi"):
        ended = await run(command, "--help")
        assert ended.status == 0
        assert f"gaocache {command}".encode() in ended.stdout.split(b"Example")[1]


async def test_openapi_prints_the_exported_document(run: Run, tmp_path: Path) -> None:
    exported = Path(__file__).parents[3] / "openapi" / "openapi.json"
    assert (await run("openapi")).stdout == exported.read_bytes()
    ended = await run("openapi", "-o", str(tmp_path / "none" / "file"))
    assert ended.status == 1
    assert ended.stderr.endswith("No such file or directory\n")


async def test_version(run: Run) -> None:
    assert (await run("--version")).stdout == b"gaocache 0.1.0\n"
