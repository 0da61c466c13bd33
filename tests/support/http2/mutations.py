"""A conversation with mistakes in it, as chance makes them."""

import random
from collections.abc import Iterator
from typing import Final

from http2.frame_writer import FRAME_HEAD

from cache_core.rpc.http2.framing.codes import PREFACE

MOST_MISTAKES: Final = 6


def frames_of(said: bytes) -> list[bytes]:
    """Return the frames of `said`, each with its head; a preface is the first of them."""
    parts = []
    if said.startswith(PREFACE):
        parts.append(PREFACE)
        said = said[len(PREFACE) :]
    while said:
        end = FRAME_HEAD + int.from_bytes(said[:3])
        parts.append(said[:end])
        said = said[end:]
    return parts


def missing(said: bytes) -> int:
    """Return how many bytes the last frame of `said` lacks, where zeros follow."""
    at = len(PREFACE) if said.startswith(PREFACE) else 0
    while at < len(said):
        at += FRAME_HEAD + int.from_bytes(said[at : at + 3].ljust(3, b"\0"))
    return at - len(said)


def mutated(parts: list[bytes], rng: random.Random) -> bytes:
    """Return the frames `parts` joined, with one to six mistakes in them."""
    parts = parts.copy()
    for _ in range(rng.randint(1, MOST_MISTAKES)):
        _spoil(parts, rng)
    said = bytearray(b"".join(parts))
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        if said:
            said[rng.randrange(len(said))] ^= 1 << rng.randrange(8)
    if rng.random() < 0.1:
        del said[rng.randrange(len(said) + 1) :]
    return bytes(said)


def pieces(said: bytes, rng: random.Random) -> Iterator[bytes]:
    """Cut `said` into one to seventeen pieces."""
    cuts = sorted(rng.randrange(len(said) + 1) for _ in range(rng.choice((0, 0, 1, 4, 16))))
    start = 0
    for end in (*cuts, len(said)):
        yield said[start:end]
        start = end


def _spoil(parts: list[bytes], rng: random.Random) -> None:
    """Make one mistake in the frames."""
    if not parts:
        return
    place, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    match rng.randrange(9):
        case 0:
            del parts[place]
        case 1:
            parts.insert(other, parts[place])
        case 2:
            parts[place], parts[other] = parts[other], parts[place]
        case 3:
            parts[place:place] = parts[place : place + 1] * rng.choice((2, 50))
        case _:
            parts[place] = _changed(bytearray(parts[place]), rng)


def _changed(frame: bytearray, rng: random.Random) -> bytes:
    """Return a frame with a mistake in it: another kind, flag, stream, length or byte."""
    match rng.randrange(5):
        case 0:
            frame[3] = rng.randrange(12)
        case 1:
            frame[4] ^= 1 << rng.randrange(8)
        case 2:
            frame[8] = rng.choice((0, 1, 2, 3, 5, 7, 9, 99))
        case 3:
            frame = frame[: rng.randint(FRAME_HEAD, max(FRAME_HEAD, len(frame)))]
            frame[:3] = (len(frame) - FRAME_HEAD).to_bytes(3)
        case _:
            frame[rng.randrange(len(frame))] = rng.randrange(256)
    return bytes(frame)
