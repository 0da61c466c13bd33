"""The docs pages in a browser."""

from typing import TYPE_CHECKING

import pytest

from cache_core import Node

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser


async def test_docs_show_the_operations_and_try_it_out_returns_toms_score(
    page: "Page", gateway_url: str, node: Node
) -> None:
    await page.goto(f"{gateway_url}/docs")
    operation = page.locator("#operations-keys-get_key")
    await operation.click()
    assert await operation.locator("input[placeholder=group]").input_value() == "scores"
    assert await operation.locator("input[placeholder=key]").input_value() == "Tom"
    await operation.get_by_role("button", name="Execute").click()
    body = operation.locator(".live-responses-table .highlight-code").first
    await body.wait_for()
    assert '"value": "630"' in await body.inner_text()
    assert (await node.group("scores").get("Tom")).data == b"630"


async def test_redoc_shows_the_operations(page: "Page", gateway_url: str) -> None:
    await page.goto(f"{gateway_url}/redoc")
    await page.locator("h2", has_text="the key in the query").wait_for()
