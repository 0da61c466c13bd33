"""A node's calls on gRPC's own library, which is always installed.

The room also serves health checks and reflection, for both engines. It knows no group: a call is
handed to the service as it comes.
"""
