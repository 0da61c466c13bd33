"""The rules of HTTP for a key: its address, its forms, their validators, caching, and problems.

The room is rules alone: plain functions that turn a request and a node's answer into the answer
over HTTP. It knows no server, no framework's routing and no connection.
"""
