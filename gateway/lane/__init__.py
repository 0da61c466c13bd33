"""The fast lane: plain GETs of a key, read, remembered and answered without the web framework.

Its answers have the same bytes as those of `routes`; every other request is left to them. It
knows no sockets: `server` hands it bytes and writes the bytes that it returns.
"""
