"""The bytes of answers that are made of what was answered before."""

import tracemalloc

from lane_server import get

from cache_core.value import Terms, Value
from gateway.http.hosts import Hosts
from gateway.http.limits import Limits
from gateway.lane.answer import Writer
from gateway.lane.request import PlainGet, Reader
from gateway.middleware.answered import Answered
from gateway.middleware.defaults import with_defaults

PAGE = Value(b"<p>630", terms=Terms(content_type="text/html"))


def asked(query: str = "?alt=media") -> PlainGet:
    plain = Reader(Limits(), Hosts()).read(get("Tom", query=query))
    assert plain is not None
    return plain


def writer() -> Writer:
    return Writer(with_defaults, Answered().count)


def test_a_form_is_that_of_equal_bytes_under_the_same_type_alone() -> None:
    form = writer().form(asked(), PAGE)
    assert form.is_of(PAGE._replace(ttl=1.0, age=7.0))
    assert not form.is_of(PAGE._replace(data=b"<p>631"))
    assert not form.is_of(PAGE._replace(terms=Terms(content_type="text/plain")))


def test_what_is_remembered_of_content_types_is_bounded() -> None:
    writing, plain = writer(), asked()

    def write(first: int, last: int) -> None:
        for number in range(first, last):
            writing.form(plain, PAGE._replace(terms=Terms(content_type=f"text/x-{number}")))

    write(0, 500)
    tracemalloc.start()
    try:
        write(500, 2_000)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 300_000
