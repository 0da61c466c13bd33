"""A node's calls on pygrpc-native, an extra that takes many times the calls a second of grpcio.

Calls come as events from the library's own threads, and are answered in the event loop. Calls that
it can't serve, health checks and reflection, it passes on to a grpcio server behind it.
"""
