"""One node: its groups shared out over the cluster, removal everywhere, and its server's life.

The room puts `group`, `cluster` and `rpc` together. It knows nothing of config files and commands.
"""
