"""What a fake Redis holds, and its commands for that. Knows no connection."""

from collections.abc import Callable
from typing import Final

from fake_redis.resp import Answer, Refused

WRITES: Final = frozenset({b"SET", b"DEL", b"LPUSH"})

WRONGTYPE: Final = "WRONGTYPE Operation against a key holding the wrong kind of value"


class Data:
    """Strings and lists with expiry by `clock`, in seconds since 1970.

    It refuses to grow while it is `full`, and all writes while it is a `replica`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.full = False
        self.replica = False
        self._clock = clock
        self._held: dict[bytes, bytes | list[bytes]] = {}
        self._ends: dict[bytes, int] = {}
        """Milliseconds since 1970."""
        self._commands: dict[bytes, Callable[..., Answer]] = {
            b"GET": self._get,
            b"SET": self._set,
            b"DEL": self._del,
            b"PTTL": self._pttl,
            b"LPUSH": self._lpush,
            b"TIME": self._time,
            b"FLUSHALL": self._flush,
        }

    def run(self, name: bytes, *words: bytes) -> Answer:
        """Return the answer to a command. Raises Refused."""
        if self.replica and name in WRITES:
            raise Refused("READONLY You can't write against a read only replica.")
        if self.full and name in WRITES - {b"DEL"}:
            raise Refused("OOM command not allowed when used memory > 'maxmemory'.")
        if name not in self._commands:
            raise Refused(f"ERR unknown command '{name.decode()}'")
        return self._commands[name](*words)

    def has(self, key: bytes) -> bool:
        """Return whether `key` is there."""
        if key in self._ends and self._ends[key] < self._now():
            self._del(key)
        return key in self._held

    def move(self, key: bytes, target: "Data") -> None:
        """Move the string at `key`, and when it ends, to `target`."""
        held, left = self._get(key), self._pttl(key)
        assert isinstance(held, bytes)
        assert isinstance(left, int)
        target.run(b"SET", key, held, *([b"PX", b"%d" % left] if left > 0 else []))
        self._del(key)

    def names(self) -> list[bytes]:
        """Return the keys that are there."""
        return [key for key in list(self._held) if self.has(key)]

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _get(self, key: bytes) -> Answer:
        held = self._held[key] if self.has(key) else None
        if isinstance(held, list):
            raise Refused(WRONGTYPE)
        return held

    def _set(self, key: bytes, value: bytes, *options: bytes) -> Answer:
        self._held[key] = value
        self._ends.pop(key, None)
        if options:
            unit, length = options
            assert unit == b"PX"
            if int(length) <= 0:
                raise Refused("ERR invalid expire time in 'set' command")
            self._ends[key] = self._now() + int(length)
        return "OK"

    def _del(self, key: bytes) -> Answer:
        self._ends.pop(key, None)
        return int(self._held.pop(key, None) is not None)

    def _pttl(self, key: bytes) -> Answer:
        if not self.has(key):
            return -2
        return self._ends[key] - self._now() if key in self._ends else -1

    def _lpush(self, key: bytes, value: bytes) -> Answer:
        held = self._held.setdefault(key, [])
        if not isinstance(held, list):
            raise Refused(WRONGTYPE)
        held.insert(0, value)
        return len(held)

    def _time(self) -> Answer:
        now = self._clock()
        return [b"%d" % int(now), b"%d" % int(now % 1 * 1e6)]

    def _flush(self) -> Answer:
        self._held, self._ends = {}, {}
        return "OK"
