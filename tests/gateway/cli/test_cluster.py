import json
import re

from fakes import FakeSource
from processes import Run

from cache_core import Client, Group, GroupSettings, Node


def columns(line: str) -> list[str]:
    return line.split()


async def test_the_members_are_a_table_whichever_of_them_is_asked(
    run: Run, pair: list[Node]
) -> None:
    async with Client(pair[0].address) as client:
        for key in ("Tom", "Tom", "Jack", "Sam"):
            await client.get("scores", key, timeout=10)
    told = []
    for node in pair:
        ended = await run("cluster", "--node", node.address)
        assert (ended.status, ended.stderr) == (0, "")
        told.append(ended.stdout.decode().splitlines())
    for lines in told:
        assert max(map(len, lines)) <= 100
        assert lines[1].split()[:5] == ["node", "health", "share", "entries", "capacity"]
        rows = [line.split() for line in lines[2:4]]
        assert [row[:2] for row in rows] == sorted([node.address, "up"] for node in pair)
        assert sum(float(row[2].rstrip("%")) for row in rows) == 100
        assert sum(int(row[7]) for row in rows) == 3  # loads
        assert re.fullmatch(r"ring [0-9a-f]{16}, 2 members", lines[4])


async def test_a_dead_member_keeps_its_row_and_why_it_gives_no_answer(
    run: Run, pair: list[Node]
) -> None:
    one, gone = pair
    await gone.stop(drain=False)
    ended = await run("cluster", "--node", one.address)
    assert ended.status == 0
    assert re.search(rf"^{gone.address} no answer +\d+\.\d%$", text(ended.stdout), re.MULTILINE)
    assert f"{gone.address} gives no answer: node {gone.address} can't be reached" in text(
        ended.stdout
    )
    document = json.loads((await run("cluster", "--json", "--node", one.address)).stdout)
    by_node = {node["node"]: node for node in document["nodes"]}
    assert by_node[gone.address]["health"] == "no answer"
    assert by_node[gone.address]["error"] == f"node {gone.address} can't be reached"
    assert by_node[one.address]["error"] is None


def text(stdout: bytes) -> str:
    return "\n".join(line.rstrip() for line in stdout.decode().splitlines())


async def test_nodes_with_other_lists_of_peers_are_warned_of(
    run: Run, pair: list[Node], source: FakeSource, free: str
) -> None:
    one, other = (node.address for node in pair)
    stranger = Node(free, [Group("scores", source)], peers=f"static://{one},{other},{free}")
    await stranger.start()
    try:
        ended = await run("cluster", "--peers", f"static://{one},{other},{free}")
    finally:
        await stranger.stop(drain=False)
    assert "3 members\nwarning: the members have different rings, " in text(ended.stdout)


async def test_groups_are_summed_over_the_nodes(run: Run, pair: list[Node]) -> None:
    ended = await run("cluster", "--groups", "--node", pair[0].address)
    assert re.search(r"^scores +0 +0B/128MiB +0 +0 +0 +0 +0$", text(ended.stdout), re.MULTILINE)


async def test_a_node_on_its_own_is_told_by_its_own_name(run: Run, source: FakeSource) -> None:
    groups = [Group("[red]", source, GroupSettings(capacity=10_000))]
    async with Node("127.0.0.1:0", groups) as node:
        asked = node.address.replace("127.0.0.1", "localhost")
        lines = text((await run("cluster", "--groups", "--node", asked)).stdout).splitlines()
    assert lines[2].split()[:3] == [node.address, "up", "100%"]
    assert any(line.startswith("[red] ") for line in lines)
    assert lines[-1] == "no ring: it is alone"
