"""gRPC on the event loop's own connections: the way to a node, and in `node` a node's engine.

The protocol is `grpc`'s and `http2`'s; here are sockets, times, and the tasks of calls.
"""
