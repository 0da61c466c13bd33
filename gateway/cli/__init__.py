"""The `gaocache` command: one file a subcommand."""

from gateway.cli.main import main

__all__ = ["main"]
