"""The media type that a source says of one value, through nodes and the gateway."""

import httpx
import pytest
from fakes import FakeSource
from processes import GatewayAt

from cache_core import Group, Node, Terms, Value

VALUES: dict[str, bytes | Value] = {
    "logo": Value(b"\x89PNG", terms=Terms(content_type="image/png")),
    "row": Value(b'{"id": 1}', terms=Terms(content_type="application/json")),
    "plain": b"630",
}


@pytest.mark.parametrize(
    ("key", "media_type"),
    [("logo", "image/png"), ("row", "application/json"), ("plain", "application/octet-stream")],
)
async def test_the_raw_form_has_the_values_media_type_loaded_or_held(
    gateway_at: GatewayAt, key: str, media_type: str
) -> None:
    async with Node("127.0.0.1:0", [Group("g", FakeSource(VALUES))]) as node:
        url = f"{await gateway_at(node.address)}/groups/g/keys/{key}?alt=media"
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            for _ in range(2):
                assert (await http.get(url)).headers["Content-Type"] == media_type


async def test_json_is_embedded_as_such(gateway_at: GatewayAt) -> None:
    async with Node("127.0.0.1:0", [Group("g", FakeSource(VALUES))]) as node:
        url = f"{await gateway_at(node.address)}/groups/g/keys"
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            one = (await http.get(f"{url}/row")).json()
            batch = (await http.get(f"{url}?key=row&key=plain")).json()
    assert one["value"] == {"id": 1}
    assert [item["value"] for item in batch["items"]] == [{"id": 1}, "630"]
