"""A fault that is put into the running process, for tests that take no process of their own.

Only what functions do can be changed so: not constants, decorators, defaults or what classes are
made of.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import unwrap
from pathlib import PurePath
from types import CodeType, FunctionType, ModuleType

from fault import Fault, Misplaced
from tree import ROOT


@contextmanager
def swapped(*faults: Fault) -> Iterator[None]:
    """Have the functions that `faults` change do what they make of them, for the body.

    Raises Misplaced where one changes no function of its file, or does not fit the code beside
    those before it.
    """
    texts: dict[str, str] = {}
    for fault in faults:
        text = texts.get(fault.file) or _text(fault.file)
        texts[fault.file] = fault.planted_in(text)
    changes = [change for file, text in texts.items() for change in _changes(file, text)]
    originals = [(function, function.__code__) for function, _ in changes]
    for function, code in changes:
        function.__code__ = code
    try:
        yield
    finally:
        for function, code in originals:
            function.__code__ = code


def shape(code: CodeType | None) -> object:
    """Return what of a function's or module's code does not depend on where it stands."""
    if code is None:
        return None
    consts = tuple(
        shape(const) if isinstance(const, CodeType) else (type(const), const)
        for const in code.co_consts
    )
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, consts


def _changes(file: str, text: str) -> list[tuple[FunctionType, CodeType]]:
    """Return the functions of `file` that `text` changes, with their code in it."""
    before = _codes(compile(_text(file), file, "exec"))
    after = _codes(compile(text, file, "exec"))
    changed = [
        name
        for name, code in after.items()
        if "<locals>" not in name and shape(code) != shape(before.get(name))
    ]
    if not changed:
        raise Misplaced(f"no function of {file} is changed")
    module = import_module(".".join(PurePath(file).with_suffix("").parts))
    return [(_function(module, name), after[name]) for name in changed]


def _text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def _codes(code: CodeType) -> dict[str, CodeType]:
    """Return the code of each function by its qualified name."""
    found = {}
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if const.co_flags & 0x1 and not const.co_name.startswith("<"):  # CO_OPTIMIZED
                found[const.co_qualname] = const
            found |= _codes(const)
    return found


def _function(module: ModuleType, name: str) -> FunctionType:
    found: object = module
    for part in name.split("."):
        found = vars(found)[part] if isinstance(found, type) else getattr(found, part)
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    found = unwrap(found)  # type: ignore[arg-type]
    if not isinstance(found, FunctionType):
        raise Misplaced(f"{name} is no function")
    return found
