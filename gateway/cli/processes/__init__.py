"""Processes that are started, watched, told to stop and ended; the signals and ports they share.

The room knows the operating system. Each subcommand decides what its process serves.
"""
