"""Scripts in a fake Redis: the Lua is run as it stands, and its `redis` is the fake's data."""

from hashlib import sha1
from typing import TYPE_CHECKING, Any, Protocol

from fake_redis.resp import Answer, Refused
from lupa.lua51 import LuaRuntime, lua_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Run(Protocol):
    """Runs a command on data. Raises Refused."""

    def __call__(self, name: bytes, *words: bytes) -> Answer: ...


class Scripts:
    """The scripts that a server has seen, in a Lua of their own."""

    def __init__(self, run: Run) -> None:
        self._lua = LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        self._seen: dict[bytes, Callable[..., object]] = {}

        def call(name: bytes, *words: object) -> object:
            return self._to_lua(run(name, *map(_word, words)))

        def pcall(name: bytes, *words: object) -> object:
            try:
                return call(name, *words)
            except Refused as error:
                return self._to_lua(error)

        self._redis = self._lua.table_from({b"call": call, b"pcall": pcall})

    def eval(self, text: bytes, count: bytes, *words: bytes) -> Answer:
        """Run the script `text`, and keep it. Raises Refused."""
        function = self._lua.eval(b"function(redis, KEYS, ARGV) %b end" % text)
        digest = sha1(text, usedforsecurity=False).hexdigest().encode()
        self._seen[digest] = function
        return self.evalsha(digest, count, *words)

    def evalsha(self, digest: bytes, count: bytes, *words: bytes) -> Answer:
        """Run a script that has been seen. Raises Refused."""
        function = self._seen.get(digest)
        if function is None:
            raise Refused("NOSCRIPT No matching script. Please use EVAL.")
        keys, arguments = words[: int(count)], words[int(count) :]
        table = self._lua.table_from
        answer = _from_lua(function(self._redis, table(keys), table(arguments)))
        if isinstance(answer, Refused):
            raise answer
        return answer

    def flush(self) -> None:
        """Forget all scripts."""
        self._seen.clear()

    def _to_lua(self, answer: Answer) -> object:
        match answer:
            case None:
                return False
            case str():
                return self._lua.table_from({b"ok": answer.encode()})
            case Refused():
                return self._lua.table_from({b"err": str(answer).encode()})
            case list():
                return self._lua.table_from([self._to_lua(each) for each in answer])
            case _:
                return answer


def _word(word: object) -> bytes:
    if isinstance(word, bytes):
        return word
    assert isinstance(word, int | float), "a command's words are strings and numbers"
    return b"%d" % word


def _from_lua(value: Any) -> Answer:  # noqa: ANN401 - of any script
    if lua_type(value) == "table":
        if (error := value[b"err"]) is not None:
            return Refused(error.decode())
        if (status := value[b"ok"]) is not None:
            status_text: str = status.decode()
            return status_text
        return _array(value)
    match value:
        case None | False:
            return None
        case True:
            return 1
        case float():
            return int(value)
        case bytes() | int():
            return value
    raise AssertionError(f"no answer of a script: {value!r}")


def _array(table: Any) -> Answer:  # noqa: ANN401 - lupa's own
    """Return its items up to the first nil."""
    items: Sequence[object] = list(table.values())
    return [_from_lua(item) for item in items]
