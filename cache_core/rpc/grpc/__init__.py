"""gRPC over HTTP/2 without I/O: messages, metadata, deadlines and statuses, for both ends.

It is the protocol of github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. Knows no socket, no
task and no clock.
"""
