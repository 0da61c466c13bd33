"""Connections to Valkey or Redis, single or Cluster: for the retriever and for the second tier.

The room knows the commands, the slots of a Cluster and when to leave a failing store alone. It
knows no group: a second tier is given the name under which it keeps values.
"""
