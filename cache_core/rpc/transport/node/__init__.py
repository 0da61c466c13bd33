"""The node's side of our own transport: it listens, and answers calls.

It knows the service and the core of gRPC without I/O, and no group.
"""
