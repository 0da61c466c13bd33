import asyncio
import sys
import threading
from pathlib import Path

import pytest
from sources.user_module import Beside

from cache_core import Group, NotFound, RetrieverFailed, SourceUnavailable, Value
from cache_core.loading.retriever import BatchRetriever, CheckedRetriever, InvalidSource, Refresher
from cache_core.sources.python.retriever import PythonRetriever
from cache_core.sources.python.settings import PythonSource


@pytest.mark.parametrize(
    "text",
    [
        "def f(key): return key.upper().encode()",
        "async def f(key): return key.upper().encode()",
        "class f:\n  async def retrieve(self, key): return key.upper().encode()",
        "class f:\n  def retrieve(self, key): return key.upper().encode()",
        "class f:\n  async def __call__(self, key): return key.upper().encode()",
        "class C:\n  def g(self, key): return key.upper().encode()\nf = C().g",
        "import functools\ndef g(x, key): return key.upper().encode()\nf = functools.partial(g, 1)",
    ],
)
async def test_a_function_or_an_object_or_a_class_is_a_source(beside: Beside, text: str) -> None:
    retriever = beside.write(text).open("f")
    assert isinstance(retriever, CheckedRetriever)
    assert not isinstance(retriever, BatchRetriever | Refresher)
    await retriever.check()
    assert await retriever.retrieve("Tom") == b"TOM"
    await retriever.aclose()


async def test_a_function_that_is_not_async_runs_in_a_thread(beside: Beside) -> None:
    text = "import threading\ndef f(key): return threading.current_thread().name.encode()"
    retriever = beside.write(text).open("f")
    assert await retriever.retrieve("Tom") != threading.current_thread().name.encode()
    assert not retriever.can_stop
    await retriever.aclose()


async def test_what_an_object_can_do_besides_its_retriever_can(beside: Beside) -> None:
    text = """
log = []
class Things:
    async def retrieve(self, key): return b"1"
    async def retrieve_many(self, keys): return {key: b"1" for key in keys}
    async def refresh(self, key, held): return held._replace(ttl=60)
    async def check(self): log.append("check")
    async def aclose(self): log.append("aclose")
"""
    retriever = beside.write(text).open("Things")
    assert isinstance(retriever, BatchRetriever)
    assert isinstance(retriever, Refresher)
    assert await retriever.retrieve_many(["a", "b"]) == {"a": b"1", "b": b"1"}
    assert await retriever.refresh("a", Value(b"1")) == Value(b"1", ttl=60)
    await retriever.check()
    await retriever.aclose()
    assert sys.modules[beside.module].log == ["check", "aclose"]


async def test_options_make_the_source(beside: Beside) -> None:
    text = "def make(*, suffix, times=1):\n  return lambda key: (key + suffix * times).encode()"
    retriever = beside.write(text).open("make", options={"suffix": "!", "times": 2})
    assert await retriever.retrieve("Tom") == b"Tom!!"
    await retriever.aclose()


async def test_errors_of_its_own_are_kept_apart_from_no_such_key(beside: Beside) -> None:
    text = """
from cache_core import NotFound
ERRORS = {"key": KeyError("key"), "gone": ConnectionResetError("gone"), "late": TimeoutError(),
          "none": NotFound("none of that"), "exit": SystemExit()}
def f(key):
    if key in ERRORS:
        raise ERRORS[key]
"""
    group = Group("g", beside.write(text).open("f"))
    for key, kind in {
        "Tom": NotFound,
        "none": NotFound,
        "key": RetrieverFailed,
        "exit": RetrieverFailed,
        "gone": SourceUnavailable,
        "late": SourceUnavailable,
    }.items():
        with pytest.raises(kind) as failed:
            await group.get(key)
        assert type(failed.value) is kind
    await group.aclose()


async def test_modules_beside_a_module_can_be_imported(beside: Beside) -> None:
    other = Beside(beside.folder).write("SCORES = {'Tom': b'630'}")
    package = beside.folder / beside.module
    package.mkdir()
    (package / "__init__.py").write_text("")
    text = f"from {other.module} import SCORES\nclass A:\n  f = SCORES.get"
    (package / "inner.py").write_text(text)
    target = PythonSource(target=f"{beside.module}.inner:A.f")
    retriever = PythonRetriever(target, folder=beside.folder)
    assert await retriever.retrieve("Tom") == b"630"
    await retriever.aclose()


def test_what_is_installed_needs_no_folder_on_the_import_path(beside: Beside) -> None:
    path = list(sys.path)
    PythonRetriever(PythonSource(target="os.path:basename"), folder=beside.folder)
    assert sys.path == path


def test_a_module_beside_the_config_stands_in_for_nothing_that_is_installed(
    beside: Beside,
) -> None:
    for name in ("json", "xml"):
        (beside.folder / f"{name}.py").write_text("def loads(key): return b'stolen'")
        with pytest.raises(InvalidSource, match=f"there is another module {name}") as refused:
            PythonRetriever(PythonSource(target=f"{name}:loads"), folder=beside.folder)
        assert refused.value.setting == "target"
    beside.write("import json\nf = json.loads").open("f")
    assert sys.modules["json"].__file__ != str(beside.folder / "json.py")


@pytest.fixture
def installed(beside: Beside, monkeypatch: pytest.MonkeyPatch) -> Beside:
    """Packages with entry points: one of `scores`, two that each have their own `twice`."""
    beside.write("def one(key): return b'1'\ndef two(key): return b'2'")
    for package, points in {
        "a": f"scores = {beside.module}:one\ntwice = {beside.module}:one",
        "b": f"twice = {beside.module}:two",
    }.items():
        info = beside.folder / f"{package}_{beside.module}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[gaocache.retrievers]\n{points}\n")
    monkeypatch.syspath_prepend(str(beside.folder))
    return beside


async def test_an_entry_point_is_a_source(installed: Beside) -> None:
    retriever = PythonRetriever(PythonSource(target="scores"), folder=installed.folder)
    assert await retriever.retrieve("Tom") == b"1"
    await retriever.aclose()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("twice", "several packages have an entry point twice in gaocache.retrievers"),
        ("sores", r"no entry point sores in gaocache.retrievers \(there are: scores, twice\), or"),
    ],
)
def test_an_entry_point_that_is_not_one_is_refused(
    installed: Beside, name: str, words: str
) -> None:
    with pytest.raises(InvalidSource, match=words):
        PythonRetriever(PythonSource(target=name), folder=installed.folder)


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("", "f", "MODULE has no f"),
        ("", "f.g", "MODULE has no f.g"),
        ("", "", "it should be like module:function"),
        ("", "f()", "it should be like module:function"),
        ("f = 1", "f", "it is a int, not a function or an object with retrieve"),
        ("def f(): pass", "f", "it should take a key, and need nothing else"),
        ("def f(key, other): pass", "f", "it should take a key, and need nothing else"),
        ("class f:\n  def __init__(self, x): pass", "f", "calling the target failed: TypeError"),
        (
            "class f:\n  def retrieve(self, key): pass\n  def check(self): pass",
            "f",
            "its check should be async",
        ),
        ("import no_such", "f", "importing MODULE failed: ModuleNotFoundError: No module named"),
        (
            "\n1 / 0",
            "f",
            "importing MODULE failed: ZeroDivisionError: division by zero (MODULE.py:2)",
        ),
        ("def", "f", "importing MODULE failed: SyntaxError: invalid syntax (MODULE.py, line 1)"),
        ("raise SystemExit(3)", "f", "importing MODULE failed: SystemExit: 3 (MODULE.py:1)"),
    ],
)
def test_a_target_that_can_not_work_is_a_line_with_the_cause(
    beside: Beside, text: str, path: str, words: str
) -> None:
    with pytest.raises(InvalidSource) as refused:
        beside.write(text).open(path)
    assert refused.value.setting == "target"
    assert str(refused.value).startswith(words.replace("MODULE", beside.module))


def test_a_module_that_is_not_there_is_said_with_the_folder(tmp_path: Path) -> None:
    words = f"there is no module no_such, neither installed nor in {tmp_path}"
    with pytest.raises(InvalidSource, match=words):
        PythonRetriever(PythonSource(target="no_such.at_all:f"), folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f(*, password): raise ValueError(f'no {password}')", "ValueError: no …"),
        ("def f(**given): raise ValueError(f'no {given}')", "ValueError: no {'password': '…'}"),
        ("def f(*, pasword): pass", "TypeError: f() got an unexpected keyword argument 'password'"),
        ("async def f(*, password): pass", "with options, the target should not be async"),
    ],
)
def test_options_that_do_not_fit_are_refused_without_being_shown(
    beside: Beside, text: str, words: str
) -> None:
    options = {"password": "hunter2"}
    with pytest.raises(InvalidSource) as refused:
        beside.write(text).open("f", options=options)
    assert refused.value.setting == "options"
    assert words in str(refused.value)
    assert refused.value.__cause__ is None
    assert "hunter2" not in str(refused.value) + repr(PythonSource(target="m:f", options=options))


@pytest.mark.parametrize(
    "text",
    [
        "def f(**given): raise ValueError(f'no {given}')",
        "def f(**given): raise ValueError('no ' + ' '.join(given.values()))",
    ],
)
@pytest.mark.parametrize("secret", ["r00t-hunter2", "a'b\\hunter2", "tab\thunter2"])
def test_of_an_option_that_has_another_in_it_nothing_is_shown(
    beside: Beside, text: str, secret: str
) -> None:
    options = {"user": secret[:4], "password": secret}
    with pytest.raises(InvalidSource) as refused:
        beside.write(text).open("f", options=options)
    assert "no " in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("raise OSError('no disk')", InvalidSource, "its check failed: OSError: no disk"),
        ("raise ConnectionRefusedError", SourceUnavailable, "the source is unavailable"),
        ("raise NotFound('no such key')", None, ""),
        ("return None", None, ""),
    ],
)
async def test_the_key_to_check_is_asked_for(
    beside: Beside, body: str, kind: type[Exception] | None, words: str
) -> None:
    text = f"from cache_core import NotFound\ndef f(key):\n  if key == 'Tom': {body}\n  return b'1'"
    retriever = beside.write(text).open("f", check_key="Tom")
    if kind is None:
        await retriever.check()
    else:
        with pytest.raises(kind, match=words):
            await retriever.check()
    await beside.open("f", check_key="Jack").check()
    await retriever.aclose()


async def test_a_load_that_its_callers_left_is_the_only_one_of_its_key(beside: Beside) -> None:
    """A thread can't be stopped, so the next caller joins the load that runs."""
    text = """
import threading
calls, began, gate = [], threading.Event(), threading.Event()
def f(key):
    calls.append(key)
    began.set()
    gate.wait(10)
    return b"1"
"""
    group = Group("g", beside.write(text).open("f"))
    module = sys.modules[beside.module]
    leaving = asyncio.create_task(group.get("Tom"))
    assert await asyncio.to_thread(module.began.wait, 5)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    joining = asyncio.create_task(group.get("Tom"))
    await asyncio.sleep(0)
    module.gate.set()
    assert (await joining).data == b"1"
    assert module.calls == ["Tom"]
    await group.aclose()
