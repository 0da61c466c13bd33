"""The time within which a request has to be answered. Pure: knows no clock.

`grpc-timeout` is gRPC's own field (its HTTP/2 protocol, "Timeout"): up to eight digits and a unit.
`X-Request-Timeout` is in seconds: up to eight digits, and up to nine more behind a point.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.http.limits import Limits
from gateway.http.problems import Refused

GRPC_TIMEOUT: Final = "grpc-timeout"
REQUEST_TIMEOUT: Final = "x-request-timeout"

GRPC_GRAMMAR: Final = "(?=0*[1-9])[0-9]{1,8}[HMSmun]"
SECONDS_GRAMMAR: Final = r"(?=[0.]*[1-9])[0-9]{1,8}(\.[0-9]{1,9})?"

_SECONDS_OF_UNIT: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def timeout_of(fields: Mapping[str, str], limits: Limits) -> float:
    """Return the seconds within which a request with `fields` has to be answered.

    The names in `fields` are in lower case. Where both fields are sent, the shorter time counts;
    where neither is, the limits' `timeout`. It is never more than their `max_timeout`. Raises
    Refused (400) where a field is malformed, zero or sent twice.
    """
    asked = [
        seconds
        for seconds in (_grpc_timeout(fields), _request_timeout(fields))
        if seconds is not None
    ]
    return min(*asked, limits.max_timeout) if asked else min(limits.timeout, limits.max_timeout)


def _grpc_timeout(fields: Mapping[str, str]) -> float | None:
    text = fields.get(GRPC_TIMEOUT)
    if text is None:
        return None
    if re.fullmatch(GRPC_GRAMMAR, text):
        return int(text[:-1]) * _SECONDS_OF_UNIT[text[-1]]
    raise _malformed("grpc-timeout should be 1 to 8 digits and one of H, M, S, m, u, n, like 500m")


def _request_timeout(fields: Mapping[str, str]) -> float | None:
    text = fields.get(REQUEST_TIMEOUT)
    if text is None:
        return None
    if re.fullmatch(SECONDS_GRAMMAR, text):
        return float(text)
    raise _malformed("X-Request-Timeout should be seconds, more than 0, like 2 or 0.5")


def _malformed(words: str) -> Refused:
    return Refused(400, "malformed-timeout", words)
