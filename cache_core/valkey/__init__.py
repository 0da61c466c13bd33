"""Connections to Valkey or Redis, single or Cluster: for the retriever and for the second tier."""
