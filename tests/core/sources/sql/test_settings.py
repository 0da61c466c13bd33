"""What is refused before anything is asked, in words that help."""

import sys
from pathlib import Path

import pytest
from sources.databases import Place
from sources.rig import MakeRig
from sources.rigs.mariadb import mariadb
from sources.rigs.postgres import postgres

from cache_core import SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.sql.retriever import SqlRetriever
from cache_core.sources.sql.settings import SqlSource


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("oracle://u:s3cret@h/d", "oracle:// is not known, use sqlite://, postgresql://"),
        ("postgresql://u@h/d?password=s3cret", "its parameter password is not known, use host"),
        ("postgresql://u:p@w?s3cret=x@h/d", "of its password should be percent-encoded"),
        ("s3cret", "it should be like sqlite:///"),
        ("sqlite://", "it names no file"),
        ("postgresql://u:s3cret@h:port/d", "it should be like sqlite:///"),
    ],
)
def test_a_url_that_can_not_work_is_refused_without_being_repeated(url: str, words: str) -> None:
    source = SqlSource(url=url, query="SELECT :key")
    assert "s3cret" not in repr(source)
    with pytest.raises(InvalidSource, match=words) as refused:
        SqlRetriever(source, folder=Path("/"))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"table": "t"},
        {"key_column": "k"},
        {"query": "SELECT :key", "table": "t", "key_column": "k"},
        {"query": "SELECT :key", "value_column": "k"},
        {"table": ["a", "b", "c"], "key_column": "k"},
        {"table": "t", "key_column": []},
        {"table": "t", "key_column": 1},
        {"table": "t", "key_column": "k", "pool_size": 0},
    ],
)
def test_settings_that_say_too_little_or_too_much_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"it should|greater than"):
        SqlSource.model_validate({"url": "sqlite:///x.db", **given})


@pytest.mark.parametrize(
    ("given", "setting", "words"),
    [
        ({"table": "none", "key_column": "name"}, "table", "there is no table none"),
        ({"table": "things", "key_column": "nam"}, "key_column", "no column nam, use name, value"),
        (
            {"table": "things", "key_column": "name", "value_column": ["v"]},
            "value_column",
            "there is no column v",
        ),
        ({"table": "things", "key_column": "value"}, "key_column", "can't be a key"),
        ({"query": "SELECT v FROM things WHERE name = :key"}, "query", "the database says: "),
        ({"query": "SELEKT :key"}, "query", "the database says: "),
        ({"query": "DELETE FROM things WHERE name = :key"}, "query", "the database says: "),
    ],
)
async def test_what_can_not_work_is_said_at_the_check(
    place: Place, given: dict[str, object], setting: str, words: str
) -> None:
    with pytest.raises(InvalidSource, match=words) as refused:
        await place.open(**given).check()
    assert refused.value.setting == setting
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [("postgresql://h/d", "asyncpg", "postgres"), ("mysql://h/d", "asyncmy", "mysql")],
)
def test_a_missing_driver_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, url: str, driver: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(InvalidSource, match=rf"pip install 'gaocache\[{extra}\]'"):
        SqlRetriever(SqlSource(url=url, query="SELECT :key"), folder=Path("/"))


@pytest.mark.service
@pytest.mark.parametrize("make", [postgres, mariadb])
async def test_an_unknown_database_is_the_urls_fault(make: MakeRig, tmp_path: Path) -> None:
    async with make(tmp_path) as rig:
        assert isinstance(rig.source, SqlSource)
        source = rig.source.model_copy(update={"url": f"{rig.source.url}x"})
        retriever = SqlRetriever(source, folder=Path("/"))
        with pytest.raises(InvalidSource, match="refused the user, the password or the database"):
            await retriever.check()
        await retriever.aclose()


@pytest.mark.service
async def test_too_many_connections_are_a_passing_trouble(tmp_path: Path) -> None:
    async with postgres(tmp_path) as rig:
        retriever = SqlRetriever(rig.source, folder=Path("/"))
        await rig.execute("ALTER ROLE gao CONNECTION LIMIT 0")
        try:
            with pytest.raises(SourceUnavailable):
                await retriever.check()
        finally:
            await rig.execute("ALTER ROLE gao CONNECTION LIMIT -1")
        await retriever.check()
        await retriever.aclose()
