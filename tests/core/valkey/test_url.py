"""What a URL of a Valkey may say, and a source's table."""

import subprocess
import sys
import traceback

import pytest
from pydantic import ValidationError

from cache_core.address import Address
from cache_core.loading.retriever import InvalidSource
from cache_core.sources import ValkeySource
from cache_core.valkey.url import StoreUrl, parse_url

HOST = Address("h", 6379)


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("valkey://h", StoreUrl((HOST,))),
        ("redis://h/", StoreUrl((HOST,))),
        ("valkey://h:7000/3", StoreUrl((Address("h", 7000),), 3)),
        ("rediss://h", StoreUrl((HOST,), tls=True)),
        ("valkeys://h", StoreUrl((HOST,), tls=True)),
        ("valkey://[::1]", StoreUrl((Address("::1", 6379),))),
        ("valkey://[::1]:7000", StoreUrl((Address("::1", 7000),))),
        ("valkey://a:7000,b", StoreUrl((Address("a", 7000), Address("b", 6379)))),
        ("valkey://:pw@h", StoreUrl((HOST,), password="pw")),
        ("valkey://me:p%40w%2F@h", StoreUrl((HOST,), user="me", password="p@w/")),
        ("valkey://m%40e:pw@h", StoreUrl((HOST,), user="m@e", password="pw")),
        ("valkey://me:p:w@x@h", StoreUrl((HOST,), user="me", password="p:w@x")),
    ],
)
def test_a_url_says_where_and_as_whom(url: str, parsed: StoreUrl) -> None:
    assert parse_url(url) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h:6379",
        "http://hunter2@h",
        "valkey://",
        "valkey://h:0",
        "valkey://h:99999",
        "valkey://hunter2@h",
        "valkey://me:@hunter2",
        "valkey://me:hunter2@h/x",
        "valkey://me:hunter2@h/0?db=1",
        "valkey://me:hunter2@h,",
        "valkey://me:hunter2@h h",
        "valkey://me:hunter2/h",
        "valkey://me:hunter2",
        "valkey://h,me:hunter2",
    ],
)
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidSource) as refused:
        parse_url(url)
    assert refused.value.setting == "url"
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)
    shown = traceback.format_exception(refused.value)
    assert "hunter2" not in "".join(shown)


def test_a_repr_has_the_hosts() -> None:
    assert repr(parse_url("valkey://me:pw@a:7000,b")) == "StoreUrl(a:7000,b:6379)"


def test_no_repr_has_the_password() -> None:
    url = "valkey://me:hunter2@h"
    assert "hunter2" not in repr(parse_url(url)) + repr(ValkeySource(url=url))


@pytest.mark.parametrize("names", [{"key": "users"}, {"key": "users", "field": "name"}])
def test_a_table_that_never_names_the_key_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"it has \{key\} neither in"):
        ValkeySource(url="valkey://h", **names)


def test_without_the_extra_the_command_that_installs_it_is_named() -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from cache_core.loading.retriever import InvalidSource\n"
        "from cache_core.sources.valkey.retriever import ValkeyRetriever\n"
        "from cache_core.sources import ValkeySource\n"
        "from cache_core.valkey.tier import open_tier\n"
        "from pathlib import Path\n"
        "try: ValkeyRetriever(ValkeySource(url='valkey://h'), folder=Path())\n"
        "except InvalidSource as error: print(error)\n"
        "try: open_tier('valkey://h', group='g')\n"
        "except InvalidSource as error: print(error.setting, error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    words = "it needs the extra `valkey`: pip install 'gaocache[valkey]'"
    assert ran.stdout.splitlines() == [words, f"tier {words}"]
