"""The process that serves HTTP: sockets, connections, workers, and how it ends.

The room knows uvicorn, and hands each connection's bytes to the lane first. What is answered is
decided elsewhere.
"""
