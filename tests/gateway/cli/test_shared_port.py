import os
import socket
from collections.abc import Iterator

import pytest
from processes import Run

from cache_core.address import Address
from gateway.cli.failure import Failure
from gateway.cli.processes.listening import listen
from gateway.cli.processes.shared_port import Listener, SharedPort

ANY_PORT = Address("127.0.0.1", 0)


@pytest.fixture
def port() -> Iterator[SharedPort]:
    with SharedPort(ANY_PORT) as held:
        yield held


def connect(address: Address) -> socket.socket:
    return socket.create_connection(address, timeout=5)


def accepted(listening: socket.socket) -> int:
    """Return how many connections wait at a socket, and end them."""
    listening.setblocking(False)
    count = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_connections_are_shared_out_between_the_sockets(port: SharedPort) -> None:
    with port.listen() as one, port.listen() as other:
        for _ in range(64):
            connect(port.address).close()
        counts = accepted(one), accepted(other)
    assert sum(counts) == 64
    assert min(counts) > 8


@pytest.mark.parametrize("listens", [False, True])
def test_nobody_else_gets_the_port_from_the_first_moment_on(
    port: SharedPort, *, listens: bool
) -> None:
    listening = [port.listen()] if listens else []
    words = rf"can't listen at {port.address}: Address already in use; stop what listens there"
    for take in (SharedPort, listen):
        with pytest.raises(Failure, match=words):
            take(port.address)
    for sock in listening:
        sock.close()


async def test_a_port_where_something_listens_is_a_clear_error(run: Run, free: str) -> None:
    with listen(Address.parse(free)):
        ended = await run("gateway", "--listen", free, "--workers", "2")
    words = "Address already in use; stop what listens there or choose another port"
    assert ended.stderr == f"gaocache: can't listen at {free}: {words}\n"
    assert ended.status == 1


def test_it_can_be_had_again_at_once_after_connections_ended_at_either_side() -> None:
    with SharedPort(ANY_PORT) as port, port.listen() as listening:
        connection = connect(port.address)
        listening.accept()[0].close()  # this side closes first, and remembers for a minute
        assert connection.recv(1) == b""
        connection.close()
    with SharedPort(port.address) as again, again.listen():
        connect(again.address).close()
    with listen(port.address):
        connect(port.address).close()


def test_what_waits_for_a_worker_outlives_it(port: SharedPort) -> None:
    listener = Listener(port)
    worker = os.dup(listener.open())
    with connect(port.address) as connection:
        os.close(worker)
        with socket.socket(fileno=os.dup(listener.open())) as heir, heir.accept()[0] as served:
            served.sendall(b"630")
        assert connection.recv(3) == b"630"
    listener.shut()


def test_where_one_is_shut_the_others_take_what_comes(port: SharedPort) -> None:
    listeners = [Listener(port), Listener(port)]
    for listener in listeners:
        listener.open()
    listeners[0].shut()
    for _ in range(16):
        connect(port.address).close()
    listeners[1].shut()
    with pytest.raises(ConnectionRefusedError):
        connect(port.address)
    assert listeners[0].open() > 0
    connect(port.address).close()
    listeners[0].shut()


@pytest.mark.parametrize("host", ["::1", "::", "localhost", "0.0.0.0"])
def test_names_and_ipv6_are_shared_too(host: str) -> None:
    with SharedPort(Address(host, 0)) as port, port.listen() as one, port.listen() as other:
        assert one.getsockname() == other.getsockname()
        assert one.getsockname()[1] == port.address.port
        with pytest.raises(Failure):
            listen(port.address)
