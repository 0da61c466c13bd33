"""The errors that pydantic finds, as keys in the file and words for the user."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NamedTuple,
    TypeAlias,
    TypeGuard,
    Union,
    get_args,
    get_origin,
)

from pydantic import BaseModel

from cache_core.config.fields import Unfit
from cache_core.config.lines import Keys
from cache_core.config.tables import AT_ODDS, Settings

Model: TypeAlias = type[BaseModel]
_UNIONS: Final = (Union, UnionType)
_KIND: Final = "kind"


class Finding(NamedTuple):
    """One mistake: the keys to it, its words, those without the value, and keys at odds with it."""

    keys: Keys
    words: str
    unquoted: str = ""
    others: tuple[Keys, ...] = ()


def explain(error: Mapping[str, Any]) -> Finding:
    """Return the Finding for `error`, one of a ValidationError's `errors()`, as the file has it."""
    *above, last = _steps(error["loc"]) or [_Step(None, Settings)]
    keys = tuple(step.key for step in (*above, last) if step.key is not None)
    context = error.get("ctx", {})
    match error["type"]:
        case "union_tag_not_found":
            return Finding((*keys, _KIND), f"it is missing, use {_one_of(_kinds(last.annotation))}")
        case "union_tag_invalid":
            return Finding((*keys, _KIND), _unknown_kind(last.annotation, str(context["tag"])))
        case "missing":
            return Finding(keys, "it is missing")
        case "extra_forbidden":
            table = above[-1].annotation if above else Settings
            return Finding(keys, _unknown(keys[-1], _keys_of(table)))
        case "dict_type" | "model_type" | "model_attributes_type":
            return Finding(keys, "it should be a table")
        case "value_error":
            raised = context["error"]
            return Finding(keys, str(raised), raised.unquoted if isinstance(raised, Unfit) else "")
        case type_ if type_ == AT_ODDS:
            first, *others = ((*keys, key) for key in context["keys"])
            return Finding(first, error["msg"], others=tuple(others))
        case _:
            return Finding(keys, error["msg"][:1].lower() + error["msg"][1:])


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"unknown, did you mean {near[0]}?" if near else f"unknown, use {', '.join(known)}"


def _unknown_kind(union: object, tag: str) -> str:
    known = _kinds(union)
    near = difflib.get_close_matches(tag, known, n=1)
    return f"unknown, did you mean {near[0]}?" if near else f"it should be {_one_of(known)}"


def _kinds(union: object) -> list[str]:
    return [_kind_of(model) for model in _members(union)]


def _one_of(known: Sequence[str]) -> str:
    return f"{', '.join(known[:-1])} or {known[-1]}" if len(known) > 1 else known[0]


class _Step(NamedTuple):
    """A step on the way to a value: its key, None for the whole file, and the type found there."""

    key: str | None
    annotation: object


def _steps(loc: Iterable[int | str]) -> list[_Step]:
    """Return the steps of `loc`, without the union members and `[key]` that pydantic has there."""
    steps: list[_Step] = []
    annotation: object = Settings
    for step in loc:
        members = _members(annotation)
        if len(members) > 1:
            annotation = next((m for m in members if _kind_of(m) == step), None)
            steps[-1] = steps[-1]._replace(annotation=annotation)
        elif step != "[key]" or get_origin(annotation) is dict:
            annotation = _annotation_at(members[0] if members else None, str(step))
            steps.append(_Step(str(step), annotation))
    return steps


def _members(annotation: object) -> list[object]:
    """Return the types that `annotation` may be, except None."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in _UNIONS:
        members = (_members(one) for one in get_args(annotation) if one is not NoneType)
        return [member for some in members for member in some]
    return [] if annotation is None else [annotation]


def _annotation_at(annotation: object, key: str) -> object:
    if _is_model(annotation):
        field = annotation.model_fields.get(key)
        return None if field is None else field.annotation
    match get_args(annotation):
        case (_, value) if get_origin(annotation) is dict:
            return value
        case (item, *_):
            return item
        case _:
            return None


def _is_model(annotation: object) -> TypeGuard[Model]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _kind_of(model: object) -> str:
    return str(model.model_fields[_KIND].default) if _is_model(model) else ""


def _keys_of(table: object) -> list[str]:
    return list(table.model_fields) if _is_model(table) else []
