"""gRPC: the calls that a node answers, and the channel over which clients and nodes ask it.

`service` holds the calls as plain functions that know no engine, and `wire` turns the core's
records into bytes. An engine carries them: `transport`, our own, on top of `http2` and `grpc`; or
`grpcio`, on gRPC's library. The `channel` asks by `transport`.
"""
