"""The gateway's root over real sockets, real nodes behind it."""

import re

import httpx
import pytest
from fakes import FakeSource
from processes import GatewayAt

from cache_core import Group, Node

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def ask(url: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=10) as http:
        return await http.request(method, "/", headers=headers)


async def test_a_browser_gets_the_page_with_live_figures(gateway_url: str, node: Node) -> None:
    await node.group("scores").get("Tom")
    response = await ask(gateway_url, **HTML)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "1 entry, 0.0% of 1 get were hits" in response.text
    assert f"curl {gateway_url}/groups/scores/keys/KEY" in response.text


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
async def test_a_program_gets_an_index_whose_links_are_the_pages(
    gateway_url: str, accept: str
) -> None:
    index = (await ask(gateway_url, Accept=accept)).json()
    page = (await ask(gateway_url, **HTML)).text
    linked = set(re.findall(r'<a href="([^"]+)"', page))
    assert linked == {link for link in index["links"].values() if "{" not in link}


async def test_a_form_there_is_not_is_406(gateway_url: str) -> None:
    response = await ask(gateway_url, Accept="image/webp")
    assert response.status_code == 406
    assert response.json()["detail"] == "there is application/json and text/html"


@pytest.mark.parametrize("headers", [HTML, {"Accept": "application/json"}])
async def test_head_has_the_headers_of_a_get(gateway_url: str, headers: dict[str, str]) -> None:
    head, get = await ask(gateway_url, "HEAD", **headers), await ask(gateway_url, **headers)
    assert head.content == b""
    for response in (head, get):
        del response.headers["date"]
    assert head.headers == get.headers
    assert head.headers["vary"] == "Accept"
    assert head.headers["cache-control"] == "no-store"


async def test_the_page_may_run_no_script_and_ask_no_other_host(gateway_url: str) -> None:
    policy = (await ask(gateway_url, **HTML)).headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert not any("script-src" in part or "unsafe" in part for part in policy)


async def test_a_group_named_like_a_script_is_a_name(
    source: FakeSource, gateway_at: GatewayAt
) -> None:
    async with Node("127.0.0.1:0", [Group("<script>", source)], grace=5) as node:
        url = await gateway_at(node.address)
        text = (await ask(url, **HTML)).text
        action = re.findall(r'action="([^"]+)"', text)
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
            looked_up = await http.get(action[0], params={"key": "Tom"})
    assert "<script" not in text
    assert looked_up.json()["value"] == "630"


async def test_without_a_node_the_page_says_so(gateway_url: str, node: Node) -> None:
    await node.stop()
    response = await ask(gateway_url, **HTML)
    assert response.status_code == 200
    assert "No node answers" in response.text
    assert node.address in response.text


async def test_without_a_group_the_page_says_so(gateway_at: GatewayAt) -> None:
    async with Node("127.0.0.1:0", [], grace=5) as node:
        response = await ask(await gateway_at(node.address), **HTML)
    assert "no groups yet" in response.text
