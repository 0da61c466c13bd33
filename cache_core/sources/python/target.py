"""Loading the object that a `target` names: in a module, or by an installed entry point."""

import sys
import traceback
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

from cache_core.loading.retriever import InvalidSource

GROUP: Final = "gaocache.retrievers"


def load_target(target: str, folder: Path) -> object:
    """Return the object that `target`, a `module:attribute` or an entry point's name, stands for.

    A module that isn't installed may be in `folder`, which is then at the end of the import path
    for good: there it can't take the place of an installed module. Raises InvalidSource.
    """
    if ":" not in target:
        return _attribute(*_entry_point(target), folder)
    module, _, path = target.partition(":")
    return _attribute(module.strip(), path.strip(), folder)


def failed(doing: str, error: BaseException) -> str:
    """Return a text on how `doing` failed: the error's kind, its words, and its file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    words = f"{doing} failed: {type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) or not frames:
        return words  # its words have the place
    return f"{words} ({Path(frames[-1].filename).name}:{frames[-1].lineno})"


def _entry_point(name: str) -> tuple[str, str]:
    known = entry_points(group=GROUP)
    found: list[EntryPoint] = [point for point in known if point.name == name]
    if len({point.value for point in found}) == 1:
        return found[0].module, found[0].attr
    if found:
        raise InvalidSource("target", f"several packages have an entry point {name} in {GROUP}")
    names = ", ".join(sorted({point.name for point in known})) or "none"
    words = f"no entry point {name} in {GROUP} (there are: {names}), or write module:function"
    raise InvalidSource("target", words)


def _attribute(module: str, path: str, folder: Path) -> object:
    names = path.split(".")
    if not all(name.isidentifier() for name in [*module.split("."), *names]):
        raise InvalidSource("target", "it should be like module:function")
    found: object = _module(module, folder.resolve())
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise InvalidSource("target", f"{module} has no {path}") from error
    return found


def _module(name: str, folder: Path) -> ModuleType:
    _let_find(name.partition(".")[0], folder)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            words = f"there is no module {error.name}, neither installed nor in {folder}"
            raise InvalidSource("target", words) from error
        raise InvalidSource("target", failed(f"importing {name}", error)) from error
    except (Exception, SystemExit) as error:
        raise InvalidSource("target", failed(f"importing {name}", error)) from error


def _let_find(top: str, folder: Path) -> None:
    """Put `folder` on the import path if the module `top` is there, and nowhere else.

    Raises InvalidSource where another module has that name.
    """
    beside = next(filter(Path.is_file, (folder / top / "__init__.py", folder / f"{top}.py")), None)
    if beside is None:
        return
    spec = _spec(top)
    if spec is None or spec.origin is None:  # without an origin: a mere folder of that name
        sys.path.append(str(folder))
        invalidate_caches()
    elif Path(spec.origin).resolve() != beside.resolve():
        words = f"there is another module {top} than {beside}, rename that one"
        raise InvalidSource("target", words)


def _spec(top: str) -> ModuleSpec | None:
    try:
        return find_spec(top)
    except ValueError:  # an imported module without a spec, such as __main__
        return None
