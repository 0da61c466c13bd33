import pytest

from gateway.http.problems import Refused
from gateway.http.request_head import RequestTarget, read_head

HOST = (b"host", b"example.com")


@pytest.mark.parametrize(
    ("target", "origin", "host"),
    [
        (b"/a?b", b"/a?b", b"example.com"),
        (b"//a", b"//a", b"example.com"),
        (b"http://other:80/a?b", b"/a?b", b"other:80"),
        (b"HTTPS://[::1]/", b"/", b"[::1]"),
        (b"http://other", b"/", b"other"),
        (b"http://other?a", b"/?a", b"other"),
    ],
)
def test_every_form_comes_to_the_origin_form_and_its_own_host_counts(
    target: bytes, origin: bytes, host: bytes
) -> None:
    assert read_head("1.1", b"GET", target, [HOST]) == RequestTarget(origin, [(b"host", host)])


@pytest.mark.parametrize("target", [b"*", b"http://example.com"])
def test_options_may_be_about_the_server(target: bytes) -> None:
    assert read_head("1.1", b"OPTIONS", target, [HOST]) == RequestTarget(b"*", [HOST])


@pytest.mark.parametrize(
    "target",
    [
        b"*",
        b"example.com:80",
        b"a/b",
        b"ftp://x/",
        b"http:///a",
        b"http://u@x/",
        b"/a#b",
        b"http:/a",
    ],
)
def test_what_names_no_resource_is_refused(target: bytes) -> None:
    with pytest.raises(Refused, match="target should"):
        read_head("1.1", b"GET", target, [HOST])


@pytest.mark.parametrize(
    "values",
    [[], [b""], [b"a", b"a"], [b"a b"], [b"u@a"], [b"a:x"], [b"http://a"], [b"[::1"]],
)
def test_a_request_has_one_host_that_is_one(values: list[bytes]) -> None:
    with pytest.raises(Refused, match="Host") as caught:
        read_head("1.1", b"GET", b"/", [(b"host", value) for value in values])
    assert (caught.value.status, caught.value.reason) == (400, "malformed-request")


@pytest.mark.parametrize("value", [b"a", b"a:80", b"a:", b"1.2.3.4", b"[::1]:80", b"a%20b", b"_x"])
def test_a_host_is_a_name_or_an_address(value: bytes) -> None:
    assert read_head("1.1", b"GET", b"/", [(b"host", value)]).target == b"/"


@pytest.mark.parametrize("headers", [[], [(b"host", b"")]])
def test_an_old_client_may_name_no_host(headers: list[tuple[bytes, bytes]]) -> None:
    assert read_head("1.0", b"GET", b"/", headers) == RequestTarget(b"/", headers)


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0"])
def test_another_version_is_refused(version: str) -> None:
    with pytest.raises(Refused, match=r"HTTP/1\.1"):
        read_head(version, b"GET", b"/", [HOST])


@pytest.mark.parametrize(
    ("version", "codings"),
    [("1.1", [b"gzip, chunked"]), ("1.1", [b"chunked", b"chunked"]), ("1.0", [b"chunked"])],
)
def test_a_framing_that_others_could_read_otherwise_is_refused(
    version: str, codings: list[bytes]
) -> None:
    headers = [HOST, *((b"transfer-encoding", coding) for coding in codings)]
    with pytest.raises(Refused, match="Transfer-Encoding"):
        read_head(version, b"POST", b"/", headers)
