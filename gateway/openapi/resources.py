"""The responses in the OpenAPI document, except those of operations that answer with a value."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from cache_core.errors import KeyRequired, NotFound, PeerUnavailable, UnknownGroup
from cache_core.messages import GroupInfo, Health, MemberInfo, NodeInfo, SharingStats
from cache_core.settings import GroupSettings
from cache_core.stats import CacheStats, GroupStats
from cache_core.value import Value
from gateway.http.batch import problem_item, value_item
from gateway.http.budget import gateway_busy
from gateway.http.form.decision import precondition_failed
from gateway.http.form.representation import JSON
from gateway.http.hosts import host_not_served
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.http.request_head import headers_too_large, too_slow
from gateway.middleware.foreign_pages import origin_not_allowed
from gateway.openapi.headers import NODE, uncached
from gateway.openapi.problems import TOO_MANY, late, problem, too_long, unreachable
from gateway.survey.cluster_document import cluster_document
from gateway.survey.gateway_figures import ANSWERED, REQUESTS, GatewayFigures
from gateway.survey.group_document import documents
from gateway.survey.survey import survey

Responses: TypeAlias = dict[int | str, dict[str, Any]]

KEYS: Final = "/groups/scores/keys"
BATCH: Final = f"{KEYS}:batchGet"

_SETTINGS: Final = GroupSettings()
_EMPTY: Final = CacheStats(0, 0, 0, {}, {})
_GROUP: Final = GroupInfo(
    _SETTINGS,
    GroupStats(
        hits=3,
        stale_hits=0,
        stale_errors=0,
        negative_hits=0,
        misses=1,
        loads=1,
        load_errors=0,
        overloads=0,
        cache=CacheStats(1, 262, _SETTINGS.capacity, {}, {}),
        negatives=_EMPTY,
    ),
    SharingStats(hot_hits=0, fetches=0, fetch_errors=0, forwarded=0, hot=_EMPTY),
)
_SURVEY: Final = survey(
    {
        NODE: NodeInfo(
            NODE,
            draining=False,
            ring=0,
            members=(MemberInfo(NODE, 1, Health.UP, 1.0),),
            groups={"scores": _GROUP},
            uptime=60.0,
            ring_mismatches=0,
            watchers=0,
        )
    }
)

_FIGURES: Final = GatewayFigures(1, (), {REQUESTS: {ANSWERED: {"2xx": 4}}})


def _ok(description: str, example: object, *headers: str) -> dict[str, Any]:
    """Return a successful response that no cache may keep, with `headers` besides."""
    return {
        "description": description,
        "headers": uncached(*headers),
        "content": {JSON: {"example": example}},
    }


def _dump(model: BaseModel) -> Mapping[str, Any]:
    return model.model_dump(mode="json")


def _unreached(instance: str) -> Responses:
    """Return the responses where nodes do not answer."""
    return {
        503: unreachable("No node can be reached now, or the gateway is draining.", instance),
        504: late("No answer came in time.", instance),
    }


def _bad_timeout(instance: str) -> Responses:
    return {
        400: problem(
            "The timeout is malformed.",
            Refused(
                400,
                "malformed-timeout",
                "X-Request-Timeout should be seconds, more than 0, like 2 or 0.5",
            ),
            instance,
        )
    }


def _bad_group(instance: str) -> Responses:
    return {
        400: problem(
            "The group or the timeout is malformed, or the group is too long.",
            Refused(400, "group-too-long", "it has 129 bytes, the limit is 128"),
            instance,
        )
    }


_LONG_GROUP: Final = "/groups/" + "k" * (Limits().group_bytes + 1)


def _unknown_group(instance: str, node: str | None) -> Responses:
    return {404: problem("There is no such group.", UnknownGroup(node=node), instance)}


_ITEMS: Final = b'{"items":[%b,%b]}' % (
    value_item(KEYS, "Tom", Value(b"630"), None),
    problem_item(KEYS, "NotExist", NotFound("NotExist not exist", node=NODE)),
)

BATCH_EXAMPLE: Final = {"keys": ["Tom", "NotExist"]}
BATCH_ITEMS: Final = json.loads(_ITEMS)
"""The answer to BATCH_EXAMPLE."""

BATCH_RESPONSES: Final[Responses] = {
    200: _ok(
        "An item for each key.",
        BATCH_ITEMS,
        *("Vary", "Content-Security-Policy", "Content-Encoding"),
    ),
    400: problem(
        "The body is no JSON or has other members, there are too many keys, or the group, the "
        "encoding or the timeout is malformed.",
        Refused(400, "malformed-body", "keys[0] should be a string"),
        BATCH,
    ),
    406: problem(
        "`Accept` or `Accept-Encoding` asks for what is not JSON.",
        Refused(406, "not-acceptable", f"there is {JSON}"),
        BATCH,
    ),
    413: problem(
        "The body is larger than 4 MiB.",
        Refused(413, "body-too-large", "the body has more than 4194304 bytes"),
        BATCH,
    ),
    414: too_long("/groups/" + "k" * TOO_MANY),
    415: problem(
        "The body is not said to be plain JSON.",
        Refused(415, "unsupported-media-type", f"the body should be {JSON}"),
        BATCH,
        *("Accept", "Accept-Encoding"),
    ),
    503: problem(
        "Bodies and batches take as much memory as they may.", gateway_busy(), BATCH, "Retry-After"
    ),
}

_REMOVED: Final[Responses] = {
    202: _ok("Removed, but some could not be reached.", {"unreached": ["127.0.0.1:8082"]}),
    204: {"description": "Removed, everywhere.", "headers": uncached()},
}


def _foreign(instance: str) -> Responses:
    words = "A page of another origin asks, which may not remove."
    return {403: problem(words, origin_not_allowed(), instance)}


REMOVAL_RESPONSES: Final[Responses] = {
    **_REMOVED,
    400: problem(
        "The group, the key or the timeout is malformed or too long, or the key is empty; "
        "nothing is removed.",
        KeyRequired(),
        f"{KEYS}/",
    ),
    **_foreign(f"{KEYS}/Tom"),
    **_unknown_group("/groups/none/keys/Tom", NODE),
    412: problem("`If-Match` has no ETag of the value.", precondition_failed(), f"{KEYS}/Tom"),
    414: too_long(f"{KEYS}/" + "k" * TOO_MANY),
    **_unreached(f"{KEYS}/Tom"),
}

FLUSH_RESPONSES: Final[Responses] = {
    **_REMOVED,
    **_bad_group(_LONG_GROUP + "/keys"),
    **_foreign(KEYS),
    **_unknown_group("/groups/none/keys", NODE),
    412: problem(
        "`If-Match` has no ETag of the value, or no `key` is named.", precondition_failed(), KEYS
    ),
    414: too_long("/groups/" + "k" * TOO_MANY),
    **_unreached(KEYS),
}

GROUPS_RESPONSES: Final[Responses] = {
    200: _ok("The groups.", _dump(documents(_SURVEY))),
    **_bad_timeout("/groups"),
    **_unreached("/groups"),
}

GROUP_RESPONSES: Final[Responses] = {
    200: _ok("The group.", _dump(documents(_SURVEY).groups[0])),
    **_bad_group(_LONG_GROUP),
    **_unknown_group("/groups/none", None),
    414: too_long("/groups/" + "k" * TOO_MANY),
    **_unreached("/groups/scores"),
}

CLUSTER_RESPONSES: Final[Responses] = {
    200: _ok("The cluster.", _dump(cluster_document(_SURVEY, _FIGURES))),
    **_bad_timeout("/cluster"),
    503: problem(
        "Its members are not known.",
        PeerUnavailable("no member of the cluster is known yet"),
        "/cluster",
        "Retry-After",
    ),
}

ALIVE_RESPONSES: Final[Responses] = {200: _ok("The process serves.", {"status": "alive"})}

READY_RESPONSES: Final[Responses] = {
    200: _ok("Requests can be answered.", {"status": "ready"}),
    503: problem(
        "No node answers, or the gateway is draining.",
        PeerUnavailable("no node answers"),
        "/readyz",
        "Retry-After",
    ),
}

UNHEARD: Final[dict[str, dict[str, Any]]] = {
    "408": problem(
        "The request, its body included, did not come within 10 seconds.",
        too_slow(Limits().receive_timeout),
        BATCH,
    ),
    "421": problem(
        "The gateway does not serve the `Host` that the request names.",
        host_not_served("evil.example"),
        f"{KEYS}/Tom",
    ),
    "431": problem(
        "The headers are larger than 32 KiB.",
        headers_too_large(Limits().header_bytes),
        f"{KEYS}/Tom",
    ),
}
"""The responses that the connection gives before any operation hears of the request."""
