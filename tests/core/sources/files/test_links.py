"""Symbolic links in a folder: which are followed, and that none leads out of it."""

import threading
from pathlib import Path

import pytest
from sources.folder_source import data, opened

from cache_core.sources.files.folder import MAX_LINKS
from cache_core.sources.files.retriever import FilesRetriever


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("Tom", b"630"),
        ("more/../Tom", b"630"),
        ("./more//Jack.json", b"589"),
        ("../secret", None),
        ("more/../../secret", None),
        ("../things/Tom", None),
        ("link", None),
        ("nowhere", None),
        ("Tom/", None),
        ("more", None),
        ("", None),
    ],
)
async def test_a_link_is_followed_where_it_stays_inside(
    root: Path, files: FilesRetriever, target: str, found: bytes | None
) -> None:
    if target:
        (root / "link").symlink_to(target)
    assert await data(files, "link") == found


async def test_an_absolute_link_is_not_followed(root: Path, files: FilesRetriever) -> None:
    (root / "out").symlink_to(root.parent / "secret")
    (root / "in").symlink_to(root / "Tom")
    (root / "rooted").symlink_to("/Tom")
    for key in ("out", "in", "rooted"):
        assert await data(files, key) is None


async def test_as_many_links_are_followed_as_linux_follows(
    root: Path, files: FilesRetriever
) -> None:
    (root / "link1").symlink_to("Tom")
    for number in range(2, MAX_LINKS + 2):
        (root / f"link{number}").symlink_to(f"link{number - 1}")
    assert await data(files, f"link{MAX_LINKS}") == b"630"
    assert await data(files, f"link{MAX_LINKS + 1}") is None


async def test_a_folder_may_be_a_link_too_and_leads_no_further(
    root: Path, files: FilesRetriever
) -> None:
    (root / "also").symlink_to("more")
    (root / "up").symlink_to("..")
    (root / "out").symlink_to("../../")
    assert await data(files, "also/Jack.json") == b"589"
    assert await data(files, "up/secret") is None
    assert await data(files, "out/secret") is None


async def test_the_root_may_be_a_link_itself(root: Path) -> None:
    (root.parent / "alias").symlink_to("things")
    retriever = opened(root.parent, url="alias")
    assert await data(retriever, "Tom") == b"630"
    await retriever.aclose()


async def test_a_volume_of_kubernetes_is_read(root: Path, files: FilesRetriever) -> None:
    (root / "..2026_11_22").mkdir()
    (root / "..2026_11_22" / "score").write_bytes(b"788")
    (root / "..data").symlink_to("..2026_11_22")
    (root / "score").symlink_to("..data/score")
    assert await data(files, "score") == b"788"


async def test_a_folder_that_is_swapped_for_a_link_meanwhile_leads_nowhere(
    root: Path, files: FilesRetriever
) -> None:
    inside, outside = root / "swapped", root.parent / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "file").write_bytes(b"inside")
    (outside / "file").write_bytes(b"stolen")
    (root / "link").symlink_to("../outside")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for one, other in (("swapped", "away"), ("link", "swapped")):
                (root / one).rename(root / other)
            for one, other in (("swapped", "link"), ("away", "swapped")):
                (root / one).rename(root / other)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        got = {await data(files, "swapped/file") for _ in range(1000)}
    finally:
        stop.set()
        swapping.join()
    assert got <= {b"inside", None}
    assert b"inside" in got
