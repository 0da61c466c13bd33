"""HTTP/2 without I/O: bytes in, calls of a listener out; orders in, bytes out.

Knows no socket, no task and no clock but the time that it is told. It is RFC 9113 as gRPC uses it:
nothing is pushed, and priorities are read and ignored.
"""
