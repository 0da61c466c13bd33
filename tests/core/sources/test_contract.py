"""What every source of a config does alike: one suite for all retrievers."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fakes import ALL_BYTES, FakeClock, settled
from sources.rig import MakeRig, Rig
from sources.rigs import PARAMETERS

from cache_core import Answer, Group, GroupSettings, NotFound, SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.sources import Source
from cache_core.sources.opening import make_retriever

TTL = 60.0
QUICK = 1.0
"""A load_timeout that a test can wait for, and no source that is well ever needs."""

MakeGroup = Callable[..., Group]

ATTACKS = [
    "x' OR '1'='1",
    'x" OR "1"="1',
    "x'; DROP TABLE things; --",
    "x UNION SELECT 'stolen'",
    "%",
    "_",
    "*",
    "../secret",
    "../../../../../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "a/../../secret",
    "%2e%2e/secret",
    "..%2fsecret",
    "..\\secret",
    "\0",
    "secret\0.txt",
    "x?admin=1",
    "x#fragment",
    "//evil.example/x",
    "@evil.example/x",
    "http://evil.example/x",
    "x\r\nSET things stolen",
    "x HTTP/1.1\r\nHost: evil",
    "{key}",
    ":key",
    "${HOME}",
    "$(id)",
    "\u202e",
    "é" * 512,
]


@pytest.fixture(params=PARAMETERS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    given: MakeRig | str = request.param
    make: MakeRig = request.getfixturevalue(given) if isinstance(given, str) else given
    async with make(tmp_path) as steered:
        yield steered


@pytest.fixture
async def make_group(rig: Rig, clock: FakeClock, tmp_path: Path) -> AsyncIterator[MakeGroup]:
    """Make groups over the rig's source, closed after the test."""
    async with contextlib.AsyncExitStack() as closing:

        def make(**settings: object) -> Group:
            retriever = make_retriever(rig.source, folder=tmp_path)
            given = GroupSettings.model_validate({"jitter": 0, "ttl": TTL, **settings})
            group = Group("g", retriever, given, clock=clock)
            closing.push_async_callback(group.aclose)
            return group

        yield make


async def checked(source: Source, folder: Path) -> None:
    retriever = make_retriever(source, folder=folder)
    async with contextlib.aclosing(retriever):
        await retriever.check()


async def test_a_key_that_is_there_has_its_exact_bytes(rig: Rig, make_group: MakeGroup) -> None:
    values = [b"630", b"", ALL_BYTES, "ä\n".encode(), b"x" * 100_000]
    for number, data in enumerate(values):
        await rig.put(f"k{number}", data)
    group = make_group()
    for answer in (Answer.MISS, Answer.HIT):
        found = [await group.get(f"k{number}") for number in range(len(values))]
        assert [value.data for value in found] == values
        assert {value.answer for value in found} == {answer}


async def test_keys_are_told_apart(rig: Rig, make_group: MakeGroup) -> None:
    keys = ["Tom", "ä", "a b", "a+b", "Tom.txt", "Ω≈ç", "1"]
    keys += [f"{key}2" for key in keys]
    for key in keys:
        await rig.put(key, key.encode())
    group = make_group()
    assert [(await group.get(key)).data for key in keys] == [key.encode() for key in keys]


async def test_a_key_that_is_not_there_is_not_found_until_it_is(
    rig: Rig, make_group: MakeGroup
) -> None:
    group = make_group()
    with pytest.raises(NotFound, match="Tom not exist"):
        await group.get("Tom")
    await rig.put("Tom", b"630")
    assert (await group.get("Tom")).data == b"630"


async def test_a_source_that_is_well_passes_its_check(rig: Rig, tmp_path: Path) -> None:
    await checked(rig.source, tmp_path)


async def test_a_source_that_is_gone_fails_its_check(rig: Rig, tmp_path: Path) -> None:
    await rig.break_off()
    with pytest.raises((SourceUnavailable, InvalidSource)):
        await checked(rig.source, tmp_path)


async def test_a_source_that_is_gone_leaves_stale_values_and_is_asked_again_once_it_is_back(
    rig: Rig, make_group: MakeGroup, clock: FakeClock
) -> None:
    await rig.put("Tom", b"630")
    group = make_group(stale_if_error=600)
    assert (await group.get("Tom")).data == b"630"
    await rig.break_off()
    clock.tick(TTL + 1)
    stale = await group.get("Tom")
    assert (stale.data, stale.answer) == (b"630", Answer.STALE_ERROR)
    with pytest.raises(SourceUnavailable):
        await group.get("Jack")
    await rig.mend()
    await rig.put("Tom", b"631")
    assert await _refreshed(group, clock) == b"631"
    with pytest.raises(NotFound):
        await group.get("Jack")


async def _refreshed(group: Group, clock: FakeClock) -> bytes:
    """Get Tom until it is fresh: what is stale is refreshed behind, once a second at the most."""
    while (value := await group.get("Tom")).answer is Answer.STALE_ERROR:
        clock.tick(1.1)
        await settled()
    return value.data


@pytest.mark.slow
async def test_a_source_that_hangs_is_unavailable_once_the_load_timeout_is_over(
    rig: Rig, make_group: MakeGroup
) -> None:
    await rig.put("Tom", b"630")
    group = make_group(load_timeout=QUICK)
    await rig.hang()
    with pytest.raises(SourceUnavailable):
        await group.get("Tom")
    await rig.mend()
    assert (await group.get("Tom")).data == b"630"


async def test_a_key_is_only_ever_a_key(rig: Rig, make_group: MakeGroup) -> None:
    await rig.put("Tom", b"630")
    await rig.put("secret", b"stolen")
    group = make_group()
    found = {key: await _data_or_none(group, key) for key in ATTACKS}
    assert found == dict.fromkeys(ATTACKS)
    group.flush()
    assert (await group.get("Tom")).data == b"630"


async def _data_or_none(group: Group, key: str) -> bytes | None:
    try:
        return (await group.get(key)).data
    except NotFound:
        return None


async def test_a_wrong_password_is_a_clear_error_at_the_check(rig: Rig, tmp_path: Path) -> None:
    wrong = rig.wrong_password()
    if wrong is None:
        return  # the source has none, so there is nothing to be wrong
    with pytest.raises(InvalidSource) as refused:
        await checked(wrong, tmp_path)
    assert any(word in str(refused.value) for word in ("password", "credentials", "refuse"))


async def test_a_secret_is_in_no_error_and_no_log(
    rig: Rig, make_group: MakeGroup, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if not rig.secret:
        return
    with caplog.at_level(logging.DEBUG):
        words = [repr(rig.source)]
        group = make_group()
        await rig.break_off()
        for failing in (group.get("Tom"), checked(rig.source, tmp_path)):
            with pytest.raises((SourceUnavailable, InvalidSource)) as failed:
                await failing
            error: BaseException | None = failed.value
            words.append(str(error))
        wrong = rig.wrong_password()
        if wrong is not None:
            await rig.mend()
            with pytest.raises(InvalidSource) as refused:
                await checked(wrong, tmp_path)
            words.append(str(refused.value))
    assert rig.secret not in caplog.text
    assert not [line for line in words if rig.secret in line]
