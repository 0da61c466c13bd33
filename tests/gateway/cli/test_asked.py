"""Which nodes a gateway asks, by its config."""

from pathlib import Path

import pytest

from cache_core.config import load
from gateway.cli.commands.gateway import asked
from gateway.cli.failure import Failure

OWN = 'peers = "dns://own:8080"'
NODES = 'peers = "dns://nodes:8080"'


@pytest.mark.parametrize(
    ("gateway", "node", "nodes"),
    [
        ('node = "a:1"', NODES, "a:1"),
        (OWN, NODES, "dns://own:8080"),
        ("", NODES, "dns://nodes:8080"),
        ("", 'listen = "0.0.0.0:9"\nadvertise = "b:2"', "b:2"),
        ("", 'listen = "0.0.0.0:9"', "127.0.0.1:9"),
        ("", 'listen = "[::]:9"', "[::1]:9"),
    ],
)
def test_its_own_setting_goes_before_the_nodes(
    tmp_path: Path, gateway: str, node: str, nodes: str
) -> None:
    file = tmp_path / "gaocache.toml"
    file.write_text(f"[gateway]\n{gateway}\n[node]\n{node}\n")
    assert asked(load(file, environ={}, with_groups=False)) == nodes


def test_a_node_at_a_port_that_is_not_known_yet_can_not_be_asked(tmp_path: Path) -> None:
    file = tmp_path / "gaocache.toml"
    file.write_text('[node]\nlisten = "127.0.0.1:0"\n')
    with pytest.raises(Failure, match=r":2: node.listen: it has no port"):
        asked(load(file, environ={}, with_groups=False))
