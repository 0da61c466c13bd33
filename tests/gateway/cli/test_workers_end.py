"""How a gateway of workers ends: within its time, and without a trace."""

from pathlib import Path

import pytest

from cache_core.config import GatewayTable, load
from gateway.cli.processes.children import STOP_MARGIN
from gateway.cli.processes.workers import leave_folder, stopping_seconds


def table(folder: Path, workers: int) -> GatewayTable:
    file = folder / "gaocache.toml"
    file.write_text(f'[gateway]\nworkers = {workers}\ndrain = "3s"\ngrace = "4s"\n')
    return load(file, environ={}, with_groups=False).gateway


@pytest.mark.parametrize(("workers", "more"), [(1, 0), (2, STOP_MARGIN), (8, STOP_MARGIN)])
def test_a_gateway_has_time_to_drain_and_to_end_workers_that_hang(
    tmp_path: Path, workers: int, more: float
) -> None:
    assert stopping_seconds(table(tmp_path, workers)) == 3 + 4 + more


def test_the_last_worker_of_a_killed_gateway_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir()
    other = folder / "2"
    other.touch()
    leave_folder(folder / "1")
    assert other.exists()
    other.unlink()
    leave_folder(other)
    assert not folder.exists()
    leave_folder(other)
