"""One TOML file, the environment and options as settings, or one clear line for what is wrong."""

from cache_core.config.errors import ConfigError, Problem
from cache_core.config.layers import NamedLayer
from cache_core.config.loading import load
from cache_core.config.tables import GatewayTable, GroupTable, LogLevel, NodeTable, Settings

__all__ = [
    "ConfigError",
    "GatewayTable",
    "GroupTable",
    "LogLevel",
    "NamedLayer",
    "NodeTable",
    "Problem",
    "Settings",
    "load",
]
