import pytest
from fakes import ALL_BYTES, FakeSource
from processes import Run

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
