"""Each mistake in a file is told once, in the file's order, at the line where it stands."""

from pathlib import Path

import pytest

from cache_core.config import ConfigError, NamedLayer, load

GROUP = """
[groups.g.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""


def write(folder: Path, text: str | bytes) -> Path:
    file = folder / "gaocache.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def refused(file: Path, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, environ=environ)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (b"[node]\nweight = 1\n# \xff\n", ":3", "it should be UTF-8"),
        (b"\xff", ":1", "it should be UTF-8"),
        (b"[node]\n\n[groups.g", ":3", "Expected ']' at the end of a table declaration"),
        (b"[node]\nweight = \n[groups.g]\n", ":2", "Invalid value"),
        (b".".join([b"k"] * 3_000) + b" = 1", "", "it is nested too deeply"),
        (b"k = " + b"[" * 5_000, "", "it is nested too deeply"),
    ],
)
def test_a_file_that_cant_be_read_is_told_with_its_line(
    tmp_path: Path, text: bytes, place: str, words: str
) -> None:
    file = write(tmp_path, text)
    assert refused(file) == [f"{file}{place}: {words}"]


def test_a_path_that_no_system_takes_is_a_line(tmp_path: Path) -> None:
    (line,) = refused(tmp_path / "a\0b")
    assert line == f"{tmp_path}/a\\x00b: it can't be read"


def test_mistakes_are_told_in_the_order_of_the_file_whatever_table_they_are_in(
    tmp_path: Path,
) -> None:
    file = write(
        tmp_path, f"{GROUP}\n[gateway]\nworkers = 0\n[node]\nweight = 0\nlisten = '${{X}}'\n"
    )
    places = [line.removeprefix(str(file)).split(" ")[0] for line in refused(file)]
    assert places == [":8:", ":10:", ":11:"]


def test_the_line_is_of_the_value_itself_and_that_of_a_table_is_where_it_first_stands(
    tmp_path: Path,
) -> None:
    text = '[groups.g]\nttl = "x"\n[groups.g.source]\n[groups.g.source.more]\n[node]\nweight = 0\n'
    file = write(tmp_path, text)
    assert [line.split(": ")[0] for line in refused(file)] == [
        f"{file}:{number}" for number in (2, 3, 6)
    ]


def test_a_variable_that_is_unset_twice_in_a_value_is_told_once(tmp_path: Path) -> None:
    file = write(tmp_path, "[node]\nlisten = '${X}:${X}'\n" + GROUP)
    assert refused(file) == [
        f"{file}:2: node.listen: the environment has no X; set it, or write ${{X:-default}}"
    ]


def test_a_wrong_item_of_a_list_is_named_by_its_variable_and_not_shown(tmp_path: Path) -> None:
    file = write(
        tmp_path, '[gateway]\ncors_origins = [\n "https://a",\n "${B}",\n "${C}"]\n' + GROUP
    )
    words = "it should be like https://app.example.com, in lower case, or *"
    assert refused(file, B="hunter2", C="https://c") == [
        f"{file}:4: gateway.cors_origins.1: {words} (it is from ${{B}})"
    ]


def test_a_wrong_item_that_is_not_from_a_variable_is_shown(tmp_path: Path) -> None:
    file = write(tmp_path, '[gateway]\ncors_origins = ["${B}", # one\n "c"]\n' + GROUP)
    (line,) = refused(file, B="https://b")
    assert line.startswith(f"{file}:3: gateway.cors_origins.1: 'c' should be like https://")


def test_a_wrong_part_of_a_variable_is_told_to_be_from_it_and_not_shown(tmp_path: Path) -> None:
    file = write(tmp_path, '[gateway]\ncors_origins = "${B} https://c"\n' + GROUP)
    words = "it should be like https://app.example.com, in lower case, or *"
    assert refused(file, B="https://b hunter2") == [
        f"{file}:2: gateway.cors_origins.1: {words} (it is from ${{B}})"
    ]


def test_a_wrong_item_of_a_list_is_told_where_the_list_that_counts_came_from(
    tmp_path: Path,
) -> None:
    file = write(tmp_path, '[gateway]\ncors_origins = ["https://a"]\n' + GROUP)
    words = "'c' should be like https://app.example.com, in lower case, or *"
    for given in ("c", "https://b c"):
        assert refused(file, GAOCACHE_CORS_ORIGINS=given) == [f"GAOCACHE_CORS_ORIGINS: {words}"]
    keys = ("gateway", "cors_origins")
    for origins in (["c"], ["https://b", "c"]):
        options = NamedLayer({"gateway": {"cors_origins": origins}}, {keys: "--cors-origin"})
        with pytest.raises(ConfigError) as caught:
            load(file, environ={"GAOCACHE_CORS_ORIGINS": "https://d"}, options=options)
        assert str(caught.value) == f"--cors-origin: {words}"


@pytest.mark.parametrize("secret", ["abcd", "hunter2"])
async def test_words_that_come_later_hide_a_secret_of_four_characters_or_more(
    tmp_path: Path, secret: str
) -> None:
    file = write(tmp_path, GROUP.replace("scores.db", "${S}"))
    settings = load(file, environ={"S": secret})
    problem = settings.problem(("groups", "g", "source", "query"), f"no table in {secret}")
    assert str(problem) == f"{file}:5: groups.g.source.query: no table in ${{S}}"


def test_a_choice_of_the_options_ends_those_of_all_weaker_layers(tmp_path: Path) -> None:
    file = write(tmp_path, '[gateway]\npeers = "b:1"\n' + GROUP)
    options = NamedLayer({"gateway": {"node": "c:1"}}, {("gateway", "node"): "--node"})
    gateway = load(file, environ={"GAOCACHE_TIMEOUT": "3"}, options=options).gateway
    assert (gateway.node, gateway.peers, gateway.timeout) == (("c", 1), None, 3)
