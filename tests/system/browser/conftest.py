"""A page in headless Chromium that can reach no other host."""

import shutil
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
async def page() -> AsyncIterator["Page"]:
    """A page that fails the test where a request of its leaves for another host, or a script errs.

    One that the page's own policy stops never leaves.
    """
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
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
