"""gRPC: what a node answers over it, and what another node or a client asks with.

This is the only room that imports gRPC's libraries. `service` holds the calls as plain functions
that know no engine, `wire` turns the core's records into bytes, and an engine (`grpcio`, `native`)
carries them.
"""
