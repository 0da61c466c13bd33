"""The sources that the contract of all retrievers is tried on, by name."""

from typing import Final

import pytest
from sources.rig import MakeRig
from sources.rigs.folder import folder
from sources.rigs.gcs import gcs
from sources.rigs.http import http
from sources.rigs.mariadb import mariadb
from sources.rigs.postgres import postgres
from sources.rigs.python import python_function, python_object
from sources.rigs.redis import redis, redis_cluster
from sources.rigs.sqlite import sqlite

RIGS: Final[dict[str, MakeRig]] = {
    "folder": folder,
    "http": http,
    "python function": python_function,
    "python object": python_object,
    "sqlite": sqlite,
}
"""Those that need nothing but Python."""

SERVICES: Final[dict[str, MakeRig | str]] = {
    "gcs": gcs,
    "mariadb": mariadb,
    "postgres": postgres,
    "redis": redis,
    "redis-cluster": redis_cluster,
    "s3": "make_s3",
}
"""Those that start a server, which a machine may lack; or the fixture that has a rig made."""

PARAMETERS: Final = [
    *(pytest.param(make, id=name) for name, make in RIGS.items()),
    *(pytest.param(make, id=name, marks=pytest.mark.service) for name, make in SERVICES.items()),
]
