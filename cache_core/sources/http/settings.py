"""The settings of a source that is an HTTP API."""

from typing import Literal

from pydantic import ByteSize, Field, SecretStr

from cache_core.settings import MIB, Count, Seconds, Size, Switch, Table


class HttpSource(Table):
    """`[groups.NAME.source]` with `kind = "http"`: a URL with `{key}`, asked by GET."""

    kind: Literal["http"] = "http"
    url: SecretStr = Field(
        description="an http or https URL with {key} in its path or in values of its query"
    )
    headers: dict[str, SecretStr] = Field(default={}, description="sent with every request")
    username: SecretStr | None = Field(default=None, description="of HTTP's basic scheme")
    password: SecretStr | None = Field(default=None, description="of HTTP's basic scheme")
    token: SecretStr | None = Field(default=None, description="of HTTP's bearer scheme")
    check_key: str | None = Field(
        default=None,
        min_length=1,
        description="the key that is asked for to see whether the source serves; without it, "
        "one that no source has",
    )
    cache_control: Switch = Field(
        default=False,
        description="whether the answer's Cache-Control, Expires and Age say how long it is fresh",
    )
    allow_private: Switch = Field(
        default=False,
        description="whether the host may have a private, loopback or link-local address",
    )
    ca_file: str | None = Field(
        default=None, description="the CAs to trust, as PEM; without it, the system's"
    )
    max_bytes: Size = Field(
        default=ByteSize(4 * MIB), description="the largest answer, its content coding undone"
    )
    connect_timeout: Seconds = Field(
        default=5.0, gt=0, description="how long a connection may take, TLS included"
    )
    read_timeout: Seconds = Field(
        default=10.0, gt=0, description="how long the source may send nothing"
    )
    pool_size: Count = Field(default=64, gt=0, description="the connections at a time")
