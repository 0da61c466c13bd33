from pathlib import Path

import pytest
from fakes import ALL_BYTES, FakeSource
from processes import Run, Start

from cache_core import Node


@pytest.mark.parametrize("way", ["node", "gateway"])
async def test_get_prints_the_exact_bytes(
    run: Run, node: Node, gateway_url: str, source: FakeSource, way: str
) -> None:
    ask = ("--node", node.address) if way == "node" else ("--gateway", gateway_url)
    for key in ("Tom", "binary", "empty", "a/b", "..", "a+b", "ä"):
        ended = await run("get", "scores", key, *ask)
        assert (ended.status, ended.stdout, ended.stderr) == (0, source.values[key], "")
    ended = await run("get", "scores", "NotExist", *ask)
    assert (ended.status, ended.stdout) == (1, b"")
    assert ended.stderr == "gaocache: NotExist not exist\n"
    ended = await run("get", "none", "Tom", *ask)
    assert (ended.status, ended.stderr) == (3, "gaocache: group not found\n")


async def test_json_is_the_gateways_form(run: Run, node: Node) -> None:
    ended = await run("get", "scores", "Tom", "--json", "--node", node.address)
    assert ended.stdout == b'{"group":"scores","key":"Tom","value":"630","encoding":"utf-8"}\n'
    ended = await run("get", "scores", "binary", "--json", "--node", node.address)
    assert b'"encoding":"base64"' in ended.stdout
    assert ALL_BYTES not in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("way", ["node", "gateway"])
async def test_json_embeds_a_document_as_the_gateway_does(
    run: Run, start: Start, tmp_path: Path, way: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.json").write_text('{"b":1}')
    config = tmp_path / "gaocache.toml"
    config.write_text('[groups.docs.source]\nkind = "files"\nurl = "docs"\n')
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    up = await start("up", *free_ports, "--config", str(config))
    url = await up.until(r"gateway  (http://\S+)")
    node = await up.until(r"node     (\S+)")
    ask = ("--node", node) if way == "node" else ("--gateway", url)
    ended = await run("get", "docs", "a.json", "--json", *ask)
    assert ended.stdout == (b'{"group":"docs","key":"a.json","value":{"b":1},"encoding":"json"}\n')


async def test_a_cluster_is_asked_by_its_list_or_the_environments(
    run: Run, pair: list[Node], free: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = f"static://{pair[0].address},{pair[1].address}"
    assert (await run("get", "scores", "Tom", "--peers", peers)).stdout == b"630"
    monkeypatch.setenv("GAOCACHE_PEERS", peers)
    assert (await run("get", "scores", "Tom")).stdout == b"630"
    monkeypatch.setenv("GAOCACHE_PEERS", f"static://{free}")
    assert (await run("get", "scores", "Tom")).stderr == (
        f"gaocache: node {free} can't be reached\n"
    )
    ended = await run("get", "scores", "Tom", "--node", pair[1].address)
    assert ended.stdout == b"630"  # what is given beats the environment
