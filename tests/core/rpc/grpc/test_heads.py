"""What headers and trailers say."""

from base64 import b64encode

import pytest

from cache_core.rpc.grpc.heads import AnswerHead, Metadata, RequestHead, fields_of, metadata_of
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing.fields import Field, Malformed

REQUEST = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/s/One"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
]


def request(*more: Field, **pseudo: bytes) -> RequestHead:
    named = {b":" + name.encode(): value for name, value in pseudo.items()}
    return RequestHead([(name, named.get(name, value)) for name, value in REQUEST] + [*more])


def test_a_call_has_a_path_and_an_encoding() -> None:
    assert (request().path, request().encoding, request().http_status) == (
        b"/s/One",
        b"identity",
        200,
    )
    assert request((b"grpc-encoding", b"gzip")).encoding == b"gzip"


@pytest.mark.parametrize(
    "kind", [b"application/grpc", b"application/grpc+proto", b"application/grpc;charset=utf-8"]
)
def test_a_call_of_grpc_may_say_its_format(kind: bytes) -> None:
    head = RequestHead([*REQUEST[:-1], (b"content-type", kind)])
    assert head.http_status == 200


@pytest.mark.parametrize(
    "kind", [None, b"", b"text/html", b"application/grpc-web", b"application/grpcs", b"application"]
)
def test_what_is_no_call_of_grpc_is_unsupported(kind: bytes | None) -> None:
    more = [] if kind is None else [(b"content-type", kind)]
    assert RequestHead([*REQUEST[:-1], *more]).http_status == 415


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"HEAD", b"post"])
def test_only_post_is_allowed(method: bytes) -> None:
    assert request(method=method).http_status == 405


@pytest.mark.parametrize(
    "fields",
    [
        [],
        REQUEST[1:],
        [*REQUEST, (b":path", b"/")],
        [*REQUEST, (b"A", b"capital")],
        [*REQUEST, (b"connection", b"close")],
        [*REQUEST, (b"a", b"line\nbreak")],
        [*REQUEST, (b"content-length", b"x")],
    ],
)
def test_a_header_that_breaks_a_rule_of_http_is_malformed(fields: list[Field]) -> None:
    with pytest.raises(Malformed):
        RequestHead(fields)


def test_metadata_is_what_is_not_grpcs_own() -> None:
    head = request(
        (b"user-agent", b"grpc-python/1"),
        (b"grpc-encoding", b"gzip"),
        (b"grpc-accept-encoding", b"gzip"),
        (b"grpc-trace-bin", b"AAAA"),
        (b"content-length", b"5"),
        (b"gaocache-ring", b"7"),
    )
    assert head.metadata == (("gaocache-ring", "7"),)


def test_a_field_may_come_several_times_in_its_order() -> None:
    fields = [(b"a", b"1"), (b"b-bin", b"Ng"), (b"a", b"2"), (b"b-bin", b"Mw==")]
    expected = (("a", "1"), ("b-bin", b"6"), ("a", "2"), ("b-bin", b"3"))
    assert metadata_of(fields) == expected


@pytest.mark.parametrize("data", [b"", b"6", b"63", b"630", bytes(range(256)), b"\xff" * 3])
def test_bytes_are_read_with_and_without_padding(data: bytes) -> None:
    padded = b64encode(data)
    for said in (padded, padded.rstrip(b"=")):
        assert metadata_of([(b"x-bin", said)]) == (("x-bin", data),)


def test_values_of_bytes_may_be_joined_by_commas() -> None:
    assert metadata_of([(b"x-bin", b"Ng==,Mw, MA")]) == (
        ("x-bin", b"6"),
        ("x-bin", b"3"),
        ("x-bin", b"0"),
    )


@pytest.mark.parametrize("said", [b"N", b"N*==", b"\xff\xff", b"Ng==Ng=="])
def test_bytes_that_can_not_be_read_are_left_out(said: bytes) -> None:
    assert metadata_of([(b"x-bin", said), (b"a", b"1")]) == (("a", "1"),)


@pytest.mark.parametrize("said", ["Ä".encode(), b"\xff", b"a\tb", b"\x7f"])
def test_text_that_is_not_printable_is_left_out(said: bytes) -> None:
    assert metadata_of([(b"b", said), (b"a", b"1")]) == (("a", "1"),)


def test_the_details_of_a_status_are_metadata() -> None:
    said = b64encode(b"\x08\x05")
    expected = (("grpc-status-details-bin", b"\x08\x05"),)
    assert metadata_of([(b"grpc-status-details-bin", said)]) == expected


def test_bytes_travel_without_padding() -> None:
    metadata: Metadata = (("a", "1"), ("x-bin", b"6"), ("x-bin", b""))
    assert fields_of(metadata) == [(b"a", b"1"), (b"x-bin", b"Ng"), (b"x-bin", b"")]
    assert metadata_of(fields_of(metadata)) == metadata


def test_an_answer_has_a_status_and_a_type() -> None:
    head = AnswerHead([(b":status", b"200"), (b"content-type", b"application/grpc+proto")])
    assert (head.status, head.is_grpc, head.code) == (200, True, None)
    assert not AnswerHead([(b":status", b"200"), (b"content-type", b"text/html")]).is_grpc


def test_trailers_have_a_code_words_and_metadata() -> None:
    head = AnswerHead([(b"grpc-status", b"5"), (b"grpc-message", b"no%20%C3%84"), (b"a", b"1")])
    assert (head.status, head.code, head.words) == (None, StatusCode.NOT_FOUND, "no Ä")
    assert head.metadata == (("a", "1"),)


@pytest.mark.parametrize(
    "fields",
    [
        [(b":status", b"2000")],
        [(b":status", b"abc")],
        [(b":status", b"200"), (b":path", b"/")],
        [(b"grpc-status", b"0"), (b":status", b"200")],
        [(b"B", b"")],
    ],
)
def test_an_answer_that_breaks_a_rule_of_http_is_malformed(fields: list[Field]) -> None:
    with pytest.raises(Malformed):
        AnswerHead(fields)
