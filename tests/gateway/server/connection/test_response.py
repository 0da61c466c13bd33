"""The bytes of answers: their framing, and what no app may put into them."""

import pytest

from gateway.http.fields import Headers
from gateway.server.connection.response import Response

DATE = [(b"date", b"now")]


def sent(
    response: Response, status: int, headers: Headers, *parts: bytes, keeps_alive: bool = True
) -> bytes:
    written = response.begin(status, headers, DATE, keeps_alive=keeps_alive)
    for part in parts[:-1]:
        written += response.body(part, more=True)
    return written + response.body(parts[-1] if parts else b"", more=False)


def test_a_body_of_a_known_length_is_sent_as_it_is() -> None:
    response = Response("GET", "1.1")
    written = sent(response, 200, [(b"Content-Length", b"4")], b"ab", b"cd")
    assert written == b"HTTP/1.1 200 OK\r\ndate: now\r\nContent-Length: 4\r\n\r\nabcd"
    assert (response.is_whole, response.keeps_alive) == (True, True)


def test_a_body_of_no_known_length_goes_in_chunks() -> None:
    response = Response("GET", "1.1")
    written = sent(response, 200, [], b"ab", b"", b"c")
    begin = b"HTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n"
    assert written == begin + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


def test_to_a_client_that_knows_no_chunks_its_end_is_the_connections() -> None:
    response = Response("GET", "1.0")
    written = sent(response, 200, [], b"ab", b"c")
    assert written == b"HTTP/1.1 200 OK\r\ndate: now\r\nconnection: close\r\n\r\nabc"
    assert not response.keeps_alive


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_what_has_no_body_is_sent_none(method: str, status: int) -> None:
    response = Response(method, "1.1")
    written = sent(response, status, [(b"content-length", b"3")], b"abc")
    assert written.endswith(b"content-length: 3\r\n\r\n")
    assert sent(Response(method, "1.1"), status, [], b"abc").endswith(b"date: now\r\n\r\n")


@pytest.mark.parametrize("field", [[], [(b"connection", b"Close")], [(b"connection", b"a, close")]])
def test_the_last_answer_of_a_connection_says_so_once(field: Headers) -> None:
    response = Response("GET", "1.1")
    written = sent(response, 200, [*field, (b"content-length", b"0")], keeps_alive=False)
    assert written.lower().count(b"close") == 1
    assert not response.keeps_alive


def test_an_app_may_end_the_connection() -> None:
    response = Response("GET", "1.1")
    sent(response, 200, [(b"connection", b"close"), (b"content-length", b"0")])
    assert not response.keeps_alive


@pytest.mark.parametrize(
    "field",
    [
        (b"a\r\nset-cookie", b"x"),
        (b"a", b"x\r\nSet-Cookie: y"),
        (b"a", b"x\ny"),
        (b"a", b"\0"),
        (b"a b", b"x"),
        (b"", b"x"),
        (b"a:", b"x"),
    ],
)
def test_a_header_of_several_lines_is_refused(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="header"):
        Response("GET", "1.1").begin(200, [field], DATE, keeps_alive=True)


@pytest.mark.parametrize("parts", [[b"abc"], [b"abcde"], [b"ab", b"cde"], []])
def test_a_body_of_another_length_than_was_said_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(ValueError, match="length"):
        sent(Response("GET", "1.1"), 200, [(b"content-length", b"4")], *parts)


def test_a_status_without_a_phrase_has_its_line() -> None:
    begin = Response("GET", "1.1").begin(299, [], [], keeps_alive=True)
    assert begin.startswith(b"HTTP/1.1 299 \r\n")
