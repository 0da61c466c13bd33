"""A node's calls on pygrpc-native, an extra that takes many times as many calls a second.

Calls come as events from threads of its own, and are answered in the event loop. What it can't
serve, health checks and reflection, it passes on to a grpcio server behind it.
"""
