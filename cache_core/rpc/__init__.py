"""gRPC: the calls that a node answers, and the channel over which clients and nodes ask it.

This is the only room that imports gRPC's libraries. `service` holds the calls as plain functions
that know no engine, `wire` turns the core's records into bytes, and an engine (`grpcio`, `native`)
carries them.
"""
