"""What the OpenAPI document says, an item an answer, and the requests that get those answers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from cache_core import Client
from gateway.app import create_app

DOCUMENT: Mapping[str, Any] = create_app(Client()).openapi()
PROBLEM = "application/problem+json"
NODE = "127.0.0.1:8080"
TARGET_BYTES = 9000
"""Of the target that is too long."""

BY_THE_CONNECTION = ("408", "421", "431")
"""What is answered before any operation hears of the request: tests/gateway/hostile tries it."""

KEY_OF_STATUS = {400: "", 404: "NotExist", 502: "large"}
"""The key that a documented problem is about, where it isn't the parameter's example."""

GROUP_OF_STATUS = {400: "k" * 129, 404: "none"}
"""The group that it is about, where the operation has no key or any key would do."""

HEADERS_OF_STATUS = {
    206: {"Range": "bytes=0-1"},
    304: {"If-None-Match": "*"},
    403: {"Sec-Fetch-Site": "cross-site"},
    406: {"Accept": "image/webp"},
    412: {"If-Match": '"x"'},
    415: {"Content-Type": "text/plain"},
    416: {"Accept": "application/octet-stream", "Range": "bytes=3-"},
}

BODY_OF_STATUS = {400: b'{"keys":[1]}', 413: b" " * (4 * 1024 * 1024 + 1)}
"""The body that a documented problem is about, where it isn't the documented example."""


class Documented(NamedTuple):
    """One documented answer of an operation; `example` is None where it has no body."""

    path: str
    method: str
    operation: Mapping[str, Any]
    status: int
    media_type: str | None = None
    example: Any = None
    is_first: bool = True
    """Of the media type's examples: the headers' own are of this answer."""

    def __str__(self) -> str:
        media_type = (self.media_type or "").replace("/", "-")
        return f"{self.operation['operationId']}-{self.status}-{media_type}"

    @property
    def headers(self) -> Mapping[str, Mapping[str, Any]]:
        """The documented header fields of the answer, by their names in lower case."""
        named = self.operation["responses"][str(self.status)]["headers"]
        return {name.lower(): resolved(field) for name, field in named.items()}

    def request(self, http: httpx.AsyncClient) -> httpx.Request:
        """Return the request that should be answered so."""
        headers = dict(HEADERS_OF_STATUS.get(self.status, {}))
        if self.media_type not in (None, PROBLEM):
            headers.setdefault("Accept", str(self.media_type))
        if self.status == 400 and not any(at == "path" for at, *_ in examples_of(self.operation)):
            headers["X-Request-Timeout"] = "soon"  # there is nothing else to be malformed
        body = None
        if "requestBody" in self.operation:
            ((media_type, content),) = self.operation["requestBody"]["content"].items()
            headers.setdefault("Content-Type", media_type)
            body = BODY_OF_STATUS.get(self.status, json.dumps(content["example"]).encode())
        return http.build_request(self.method, self._target(), headers=headers, content=body)

    def _target(self) -> httpx.URL:
        given: dict[tuple[str, str], Any] = {
            (at, name): value for at, name, value in examples_of(self.operation)
        }
        places = {name: (at, name) for at, name in given}
        is_batch = isinstance(self.example, Mapping) and "items" in self.example
        if is_batch and "key" in places:
            given[places["key"]] = [item["key"] for item in self.example["items"]]
        elif self.method == "get" and "key" in places:
            given[places["key"]] = KEY_OF_STATUS.get(self.status, given[places["key"]])
        elif self.status == 400 and "key" in places:
            given[places["key"]] = ""
        elif "group" in places and "requestBody" not in self.operation:
            given[places["group"]] = GROUP_OF_STATUS.get(self.status, given[places["group"]])
        if self.status == 414:
            place = places.get("key", places["group"])
            rest = len(self._filled({**given, place: ""}).raw_path)
            given[place] = "k" * (TARGET_BYTES - rest)
        target = self._filled(given)
        if isinstance(self.example, Mapping) and "encoding" in self.example:
            target = target.copy_merge_params({"encoding": self.example["encoding"]})
        return target

    def _filled(self, given: Mapping[tuple[str, str], Any]) -> httpx.URL:
        """Return path and query with the `given` parameters, by where they are and by name."""
        parts = {name: value for (at, name), value in given.items() if at == "path"}
        query = {name: value for (at, name), value in given.items() if at == "query"}
        return httpx.URL(self.path.format(**parts)).copy_merge_params(query)


def resolved(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what `item` refers to, or itself."""
    while "$ref" in item:
        kind, name = item["$ref"].removeprefix("#/components/").split("/")
        item = DOCUMENT["components"][kind][name]
    return item


def answers() -> Iterator[Documented]:
    """Yield every documented answer, one for each example where it has several."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                if status in BY_THE_CONNECTION:
                    continue
                bare = Documented(path, method, operation, int(status))
                for media_type, content in response.get("content", {}).items():
                    named = content.get("examples", {"": {"value": content.get("example")}})
                    for place, example in enumerate(named.values()):
                        yield bare._replace(
                            media_type=media_type, example=example["value"], is_first=not place
                        )
                if "content" not in response:
                    yield bare


def examples_of(operation: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield where each required parameter is, its name and its first example."""
    for parameter in map(resolved, operation.get("parameters", ())):
        if parameter["required"]:
            example = next(iter(parameter["examples"].values()))
            yield parameter["in"], parameter["name"], example["value"]
