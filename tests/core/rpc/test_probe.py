import socket

import pytest

from cache_core.address import Address
from cache_core.rpc.engine import probe


def test_a_port_whose_last_connections_are_still_remembered_can_be_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            served, _ = listener.accept()
            served.close()  # who closes first remembers the connection for a minute
            assert client.recv(1) == b""
    probe(Address("127.0.0.1", port))


def test_a_port_at_which_somebody_listens_can_not_be_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="in use"):
        probe(Address("127.0.0.1", listener.getsockname()[1]))
