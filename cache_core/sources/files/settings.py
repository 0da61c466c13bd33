"""The settings of a source that is a folder or a bucket of files."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, SecretStr, model_validator

from cache_core.settings import MIB, MediaType, Size, Switch, Table

_ENDPOINT = re.compile(r"https?://[^/?#@\s]+(?:/[^?#@\s]*)?")


def _extension(given: str) -> str:
    if not re.fullmatch(r"\.[^./\s]+", given):
        raise ValueError('it should be an extension like ".csv"')
    return given.lower()


def _key_template(given: str) -> str:
    if given.count("{key}") != 1:
        raise ValueError("it should have {key} once, like {key}.json")
    return given


def _endpoint(given: object) -> object:
    if isinstance(given, str) and not _ENDPOINT.fullmatch(given):
        raise ValueError("it should be like https://s3.example.com, without a password")
    return given


class FilesSource(Table):
    """`[groups.NAME.source]` with `kind = "files"`: a folder, or a bucket in S3 or GCS."""

    kind: Literal["files"] = "files"
    url: str = Field(min_length=1, description="a path, file:///, s3:// or gs://")
    key: Annotated[str, AfterValidator(_key_template)] = Field(
        default="{key}", description="the file's path below the URL"
    )
    content_types: dict[Annotated[str, AfterValidator(_extension)], MediaType] = Field(
        default={}, description="media types by extension, before those that are known anyway"
    )
    max_bytes: Size = Field(default=ByteSize(4 * MIB), description="a larger file is an error")
    endpoint: Annotated[str | None, BeforeValidator(_endpoint)] = Field(
        default=None, description="where the bucket is, if not at Amazon or Google"
    )
    region: str | None = Field(default=None, description="an S3 bucket's region")
    access_key: SecretStr | None = Field(
        default=None, description="S3 credentials; without them, those of the environment"
    )
    secret_key: SecretStr | None = Field(default=None, description="the access key's secret")
    anonymous: Switch = Field(
        default=False, description="whether the bucket is asked without credentials"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key go together")
        if self.anonymous and self.access_key is not None:
            raise ValueError("anonymous goes without access_key")
        return self
