"""SQL databases behind nodes and the gateway."""

import httpx
import pytest
from processes import GatewayAt
from sources.databases import Place

from cache_core import Group, GroupSettings, Node


@pytest.mark.parametrize("form", ["table", "query"])
async def test_a_cold_batch_of_a_hundred_keys_over_http_is_one_query(
    place: Place, gateway_at: GatewayAt, form: str, sent: list[str]
) -> None:
    rows = ", ".join(f"('k{number}', '{number}')" for number in range(100))
    await place.fill(f"INSERT INTO things VALUES {rows}")
    by_table = {"table": "things", "key_column": "name", "value_column": "value"}
    by_query = {"query": "SELECT value FROM things WHERE name = :key"}
    things = place.open(**(by_table if form == "table" else by_query))
    await things.check()
    async with Node("127.0.0.1:0", [Group("g", things, GroupSettings(ttl=60))]) as node:
        url = await gateway_at(node.address)
        keys = [f"k{number}" for number in range(100)]
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as http:
            sent.clear()
            for _ in range(2):
                answer = await http.post("/groups/g/keys:batchGet", json={"keys": keys})
                values = [item["value"] for item in answer.json()["items"]]
                assert values == [str(number) for number in range(100)]
    assert len(sent) == 1
