"""Where `:key` in a query is the parameter, and where it is text."""

import pytest
from sources.databases import SERVERS, Place

from cache_core.loading.retriever import InvalidSource
from cache_core.sources.sql.statement import parse

BACKENDS = ("sqlite", "postgresql", "mysql", "mariadb")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("query", "pieces"),
    [
        ("a = :key", ("a = ", "")),
        ("a = :key and b = :key::int", ("a = ", " and b = ", r"\:\:int")),
        ("a = ':key' and b = :key", (r"a = '\:key' and b = ", "")),
        ("a = 'it''s :key' and b = :key", (r"a = 'it''s \:key' and b = ", "")),
        ('":key" = :key', (r'"\:key" = ', "")),
        ("/* ' :key */ :key", (r"/* ' \:key */ ", "")),
        ("-- it's :key\n:key", ("-- it's \\:key\n", "")),
        (""" '{"a":1}' || :key""", (r""" '{"a"\:1}' || """, "")),
        (":key ; -- the end;\n /* of it */ ;\n", ("", "")),
        (":key /* :key */ AND 1 -- one", (r"", r" /* \:key */ AND 1")),
        (":key -- no end of comments: :key", ("", "")),
        (":key || '; -- '", ("", " || '; -- '")),
        (":key || ' :key", ("", r" || ' \:key")),
        ("12:key || :key", (r"12\:key || ", "")),
    ],
)
def test_the_parameter_is_what_stands_outside_of_quotes_and_comments(
    backend: str, query: str, pieces: tuple[str, ...]
) -> None:
    assert parse(query, backend).pieces == pieces


@pytest.mark.parametrize(
    ("backend", "query", "pieces"),
    [
        ("mysql", r"'it\'s :key' || :key", (r"'it\'s \:key' || ", "")),
        ("mysql", "`:key` || :key", (r"`\:key` || ", "")),
        ("mysql", "# :key\n:key", ("# \\:key\n", "")),
        ("mysql", "5--:key", ("5--", "")),
        ("sqlite", "[a':key] || :key", (r"[a'\:key] || ", "")),
        ("sqlite", r"'\' || :key", (r"'\' || ", "")),
        ("postgresql", r"E'it\'s :key' || :key", (r"E'it\'s \:key' || ", "")),
        ("postgresql", r"'\' || :key", (r"'\' || ", "")),
        ("postgresql", "$a$ $b$ :key $a$ || :key", (r"$a$ $b$ \:key $a$ || ", "")),
        ("postgresql", "$$':key$$ || :key", (r"$$'\:key$$ || ", "")),
        ("postgresql", "a[1:2] || :key", (r"a[1\:2] || ", "")),
    ],
)
def test_quotes_and_comments_are_those_of_the_database(
    backend: str, query: str, pieces: tuple[str, ...]
) -> None:
    assert parse(query, backend).pieces == pieces


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("a = ':key'", "only in quotes or comments"),
        ("a = 1 -- :key", "only in quotes or comments"),
        ("a = 1", "it has none"),
        ("a = :key and b = :id", "it has :id"),
    ],
)
def test_a_query_without_the_parameter_is_refused(backend: str, query: str, words: str) -> None:
    with pytest.raises(InvalidSource, match=words) as refused:
        parse(query, backend)
    assert refused.value.setting == "query"


async def test_no_key_can_end_the_quotes_or_the_comment_around_its_name(place: Place) -> None:
    await place.fill("INSERT INTO things VALUES ('Tom', '1'), ('x', '2')")
    quoted = place.open(query="SELECT value FROM things WHERE name = ':key' OR name = :key")
    commented = place.open(
        query="SELECT value FROM things /* by :key */ WHERE name = :key LIMIT 1; -- by :key"
    )
    keys = ("Tom", " OR 1=1 -- ", "*/ UNION SELECT '99' /*", "a\nb", "%(key_0)s")
    for retriever in (quoted, commented):
        await retriever.check()
        assert await retriever.retrieve_many(keys) == {"Tom": b"1"}


async def test_colons_and_percent_signs_in_text_stay(place: Place) -> None:
    query = """SELECT '{"a":1} 100% %s :key' AS v FROM things WHERE name = :key"""
    await place.fill("INSERT INTO things VALUES ('Tom', '1')")
    assert await place.open(query=query).retrieve("Tom") == b'{"a":1} 100% %s :key'


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS[:1], indirect=True)
async def test_a_key_in_a_comment_within_a_comment_is_refused(place: Place) -> None:
    with pytest.raises(InvalidSource, match="PostgreSQL finds no :key in it"):
        await place.open(query="SELECT value FROM things /* /* */ :key */").check()
