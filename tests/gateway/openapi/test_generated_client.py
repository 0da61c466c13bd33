"""A client that openapi-python-client makes of the exported document, against a live gateway."""

import importlib
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from types import ModuleType

import pytest
from documented_answers import DOCUMENT, examples_of
from fakes import FakeSource

GENERATOR = shutil.which("openapi-python-client")
EXPORTED = Path(__file__).parents[3] / "openapi" / "openapi.json"
PACKAGE = "generated_gaocache"

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(GENERATOR is None, reason="needs PyPI's openapi-python-client"),
]

OPERATIONS = {
    operation["operationId"]: operation
    for operations in DOCUMENT["paths"].values()
    for operation in operations.values()
}


@pytest.fixture(scope="module", autouse=True)
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The client's package, made anew and importable."""
    assert GENERATOR is not None
    folder = tmp_path_factory.mktemp("generated")
    config = folder / "config.yml"
    config.write_text("post_hooks: []\n")
    subprocess.run(
        [
            *(GENERATOR, "generate", "--path", EXPORTED, "--config", config, "--meta", "none"),
            *("--output-path", folder / PACKAGE, "--fail-on-warning"),
        ],
        check=True,
        timeout=50,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
async def client(gateway_url: str) -> AsyncIterator[object]:
    module = importlib.import_module(f"{PACKAGE}.client")
    async with module.Client(base_url=gateway_url) as asking:
        yield asking


def method(operation_id: str) -> ModuleType:
    """Return the generated module of an operation."""
    tag = OPERATIONS[operation_id]["tags"][0]
    return importlib.import_module(f"{PACKAGE}.api.{tag}.{operation_id}")


async def test_it_gets_a_key(client: object) -> None:
    got = await method("get_key").asyncio("scores", "Tom", client=client)
    assert (got.group, got.key, got.value, got.encoding) == ("scores", "Tom", "630", "utf-8")


@pytest.mark.parametrize("key", ["a/b", "ä", "a b", "a+b", "%41"])
async def test_it_gets_any_key_by_path_and_by_query(client: object, key: str) -> None:
    by_path = await method("get_key").asyncio("scores", key, client=client)
    by_query = await method("get_key_by_query").asyncio("scores", key=key, client=client)
    assert by_path == by_query
    assert by_path.key == key


async def test_it_gets_a_problem_where_there_is_no_key(client: object) -> None:
    answer = await method("get_key").asyncio_detailed("scores", "NotExist", client=client)
    assert answer.status_code is HTTPStatus.NOT_FOUND
    assert answer.parsed.reason == "key-not-found"
    assert answer.parsed.detail == "NotExist not exist"


async def test_it_sends_parameters_and_headers(client: object) -> None:
    models = importlib.import_module(f"{PACKAGE}.models")
    base64 = models.GetKeyEncoding.BASE64
    got = await method("get_key").asyncio("scores", "Tom", client=client, encoding=base64)
    assert (got.value, got.encoding) == ("NjMw", "base64")
    part = await method("get_key").asyncio(
        "scores", "Tom", client=client, alt=models.GetKeyAlt.MEDIA, range_="bytes=0-1"
    )
    assert part.payload.read() == b"63"


async def test_it_gets_many_keys(client: object) -> None:
    models = importlib.import_module(f"{PACKAGE}.models")
    asked = models.BatchKeys(keys=["Tom", "NotExist"])
    got = await method("batch_get").asyncio("scores", client=client, body=asked)
    value, problem = got.items
    assert (value.key, value.value, value.encoding) == ("Tom", "630", "utf-8")
    assert (problem.key, problem.problem.reason) == ("NotExist", "key-not-found")


async def test_it_removes_a_key(client: object, source: FakeSource) -> None:
    get, remove = method("get_key"), method("remove_key")
    assert (await get.asyncio("scores", "Tom", client=client)).value == "630"
    source.values["Tom"] = b"631"
    removed = await remove.asyncio_detailed("scores", "Tom", client=client)
    assert removed.status_code is HTTPStatus.NO_CONTENT
    assert (await get.asyncio("scores", "Tom", client=client)).value == "631"


@pytest.mark.parametrize("operation_id", OPERATIONS)
async def test_it_has_a_method_for_every_operation(client: object, operation_id: str) -> None:
    call = method(operation_id).asyncio_detailed
    operation = OPERATIONS[operation_id]
    if "requestBody" in operation:
        return  # what it takes is a model of its own: test_it_gets_many_keys
    arguments = {name: value for _, name, value in examples_of(operation)}
    answer = await call(**arguments, client=client)
    assert str(answer.status_code.value) in operation["responses"]
    assert 200 <= answer.status_code < 300
