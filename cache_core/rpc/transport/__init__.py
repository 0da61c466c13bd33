"""gRPC on the event loop's own connections, both ends: a node's engine, and the way to a node.

The protocol is `grpc`'s and `http2`'s; here are sockets, times, and the tasks of calls.
"""
