"""The process that serves HTTP: sockets, connections, workers, and how it ends.

The room knows uvicorn, and hands each connection's bytes to the lane first. The answers are
decided elsewhere.
"""
