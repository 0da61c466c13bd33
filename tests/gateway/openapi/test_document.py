import json
import re
from pathlib import Path

import httpx
from openapi_spec_validator import validate

from cache_core import Client
from gateway.app import create_app

ROOT = Path(__file__).parents[3]


def test_the_exported_document_is_the_apps_and_valid() -> None:
    exported = json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))
    assert exported == create_app(Client()).openapi()
    validate(exported)


def test_the_limits_of_settings_are_said_as_json_schema_has_them() -> None:
    settings = create_app(Client()).openapi()["components"]["schemas"]["GroupSettings"]
    properties = settings["properties"]
    assert properties["capacity"]["exclusiveMinimum"] == 0
    assert properties["hot_share"]["exclusiveMaximum"] == 1
    assert properties["load_queue"]["minimum"] == 0


async def test_the_docs_ask_no_other_host(gateway_url: str) -> None:
    async with httpx.AsyncClient(base_url=gateway_url, trust_env=False, verify=False) as http:
        for page in ("/docs", "/redoc"):
            html = (await http.get(page)).text
            assets = re.findall(r'(?:src|href)="([^"]+)"', html)
            assert assets
            for asset in assets:
                assert asset.startswith("/"), asset
                assert (await http.get(asset)).status_code == 200
