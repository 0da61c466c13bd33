"""The landing page in a browser: a person looks a key up, at any size, in light and dark."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser


async def test_a_key_is_looked_up_by_typing_it(page: "Page", gateway_url: str) -> None:
    await page.goto(gateway_url)
    await page.get_by_label("Key in scores").fill("a+b")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/groups/scores/keys?key=a%2Bb")
    assert '"value":"plus"' in await page.inner_text("body")
    await page.goto(gateway_url)
    assert "1 entry" in await page.inner_text("main")


async def test_the_button_looks_up_and_an_empty_field_does_not(
    page: "Page", gateway_url: str
) -> None:
    await page.goto(gateway_url)
    await page.get_by_role("button", name="Look up").click()
    assert page.url == f"{gateway_url}/"
    await page.get_by_label("Key in scores").fill("Tom")
    await page.get_by_role("button", name="Look up").click()
    await page.wait_for_url("**/groups/scores/keys?key=Tom")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_has_contrast_enough(page: "Page", gateway_url: str, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.goto(gateway_url)
    ratios = await page.evaluate(CONTRASTS)
    assert len(ratios) > 10
    assert min(ratios) >= 4.5  # WCAG 2.2, success criterion 1.4.3


async def test_a_phone_need_not_scroll_sideways(page: "Page", gateway_url: str) -> None:
    await page.set_viewport_size({"width": 320, "height": 640})
    await page.goto(gateway_url)
    assert await page.evaluate("document.documentElement.scrollWidth") == 320


CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return channels(colour)[3] === 0 ? paper(element.parentElement) : colour;
  };
  return [...document.body.querySelectorAll("h1,h2,h3,p,a,dd,label,button,code,input")].map((e) => {
    const [low, high] = [light(getComputedStyle(e).color), light(paper(e))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
}"""
"""The contrast of each piece of text with what is behind it, by WCAG's formula."""
