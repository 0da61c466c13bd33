"""A node's calls on gRPC's own library, which is always installed.

The room also has the library's health checks and reflection, and how its server stops without a
call lost. It knows no group: a call is handed to the service as it comes.
"""
