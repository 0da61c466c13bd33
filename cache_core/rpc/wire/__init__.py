"""The core's records as bytes, header fields and statuses, in both directions.

The room knows the messages of `protos` and gRPC's words for errors. It knows no connection and no
engine.
"""
