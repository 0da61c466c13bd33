import json
import re
from pathlib import Path

import httpx
import pytest
from fakes import FakeSource
from openapi_spec_validator import validate

from cache_core import Client, Node
from gateway.app import create_app

ROOT = Path(__file__).parents[2]


def test_the_exported_document_is_the_apps_and_valid() -> None:
    exported = json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))
    assert exported == create_app(Client()).openapi()
    validate(exported)


async def test_the_documented_examples_run_as_they_stand(gateway_url: str) -> None:
    async with httpx.AsyncClient(base_url=gateway_url, trust_env=False) as http:
        document = (await http.get("/openapi.json")).json()
        ran = 0
        for path, operations in document["paths"].items():
            for operation in operations.values():
                examples = {
                    (parameter["in"], parameter["name"]): example["value"]
                    for parameter in operation["parameters"]
                    for example in parameter.get("examples", {}).values()
                }
                target = path.format(
                    **{n: v for (place, n), v in examples.items() if place == "path"}
                )
                query = {n: v for (place, n), v in examples.items() if place == "query"}
                response = await http.get(target, params=query)
                assert response.json()["value"] == "630"
                ran += 1
    assert ran == len(document["paths"]) == 2


@pytest.mark.parametrize(
    ("status", "key", "accept"),
    [
        (400, "", "*/*"),
        (404, "NotExist", "*/*"),
        (406, "Tom", "image/webp"),
        (414, "k" * 8980, "*/*"),
        (502, "large", "*/*"),
    ],
)
async def test_the_documented_problems_are_real_answers(
    gateway_url: str, node: Node, source: FakeSource, status: int, key: str, accept: str
) -> None:
    source.values["large"] = b"x" * 5_000_000
    operation = create_app(Client()).openapi()["paths"]["/groups/{group}/keys/{key}"]["get"]
    documented = operation["responses"][str(status)]["content"]["application/problem+json"]
    async with httpx.AsyncClient(base_url=gateway_url, trust_env=False) as http:
        response = await http.get(f"/groups/scores/keys/{key}", headers={"Accept": accept})
    answered = json.loads(response.text.replace(node.address, "127.0.0.1:8080"))
    assert answered == documented["example"]


async def test_the_docs_ask_no_other_host(gateway_url: str) -> None:
    async with httpx.AsyncClient(base_url=gateway_url, trust_env=False) as http:
        for page in ("/docs", "/redoc"):
            html = (await http.get(page)).text
            assets = re.findall(r'(?:src|href)="([^"]+)"', html)
            assert assets
            for asset in assets:
                assert asset.startswith("/"), asset
                assert (await http.get(asset)).status_code == 200
