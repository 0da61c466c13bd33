import pytest

from cache_core.address import Address, InvalidAddress

LONGEST = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 61))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("localhost:0", "localhost", 0),
        ("node-1.cache.svc.cluster.local:65535", "node-1.cache.svc.cluster.local", 65535),
        ("[::1]:8080", "::1", 8080),
        ("example.org.:80", "example.org.", 80),
        ("under_score.a-b:1", "under_score.a-b", 1),
        (f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 61}:80", LONGEST, 80),
    ],
)
def test_an_address_is_read_and_written_back(text: str, host: str, port: int) -> None:
    address = Address.parse(text)
    assert address == (host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        ":8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:" + "9" * 5_000,
        "127.0.0.1:٣",
        "1.2.3:80",
        "300.1.1.1:80",
        "::1:80",
        "[::1]",
        "[127.0.0.1]:80",
        "a b:80",
        "-a:80",
        "a-:80",
        "a.b-.c:80",
        "a" * 64 + ":80",
        f"{LONGEST}d:80",
        "a.b!:80",
        "a.b\n:80",
        "a.7:80",
        "a..b:80",
        "http://localhost:80",
    ],
)
def test_anything_else_is_refused_in_the_tutorials_words(text: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        Address.parse(text)
    assert str(caught.value) == f"invalid addr {text}, it should be x.x.x.x:port"
