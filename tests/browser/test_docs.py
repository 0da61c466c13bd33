"""The docs pages in headless Chromium that can reach no other host."""

import shutil
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from cache_core import Node

if TYPE_CHECKING:
    from playwright.async_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]


@pytest.fixture
async def page() -> AsyncIterator["Page"]:
    """A page that fails the test where a request of its leaves for another host, or a script errs.

    One that the page's own policy stops never leaves.
    """
    playwright = pytest.importorskip("playwright.async_api", reason="needs the extra `browser`")
    left: list[str] = []
    wrong: list[str] = []
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        opened = await browser.new_page(viewport={"width": 1280, "height": 1400})
        opened.on("requestfinished", lambda request: left.append(request.url))
        opened.on(
            "requestfailed",
            lambda request: left.append(request.url) if request.failure != "csp" else None,
        )
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        yield opened
        await browser.close()
    assert left
    assert [url for url in left if not url.startswith(("http://127.0.0.1:", "blob:"))] == []
    assert wrong == []


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
