"""RESP2, the protocol of Redis, as a server speaks it."""

from typing import TypeAlias

Answer: TypeAlias = "str | bytes | int | Refused | list[Answer] | None"
"""What a command comes to. A str is a status, as OK is."""


class Refused(Exception):
    """An error as an answer; its text begins with its kind, as ERR or OOM."""


def take(received: bytearray) -> list[bytes] | None:
    """Take the first request off `received`; None where it has not come wholly yet."""
    place = 0

    def count(mark: bytes) -> int | None:
        nonlocal place
        end = received.find(b"\r\n", place)
        if end < 0:
            return None
        line, place = bytes(received[place:end]), end + 2
        assert line[:1] == mark, f"no request in RESP: {line!r}"
        return int(line[1:])

    words = []
    for _ in range(total) if (total := count(b"*")) is not None else ():
        length = count(b"$")
        if length is None or len(received) < place + length + 2:
            return None
        words.append(bytes(received[place : place + length]))
        place += length + 2
    if total is None:
        return None
    del received[:place]
    return words


def encoded(answer: Answer) -> bytes:
    """Return `answer` as it is sent."""
    match answer:
        case None:
            return b"$-1\r\n"
        case str():
            return b"+%b\r\n" % answer.encode()
        case Refused():
            return b"-%b\r\n" % str(answer).encode()
        case int():
            return b":%d\r\n" % answer
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(answer), answer)
        case list():
            return b"*%d\r\n%b" % (len(answer), b"".join(map(encoded, answer)))
