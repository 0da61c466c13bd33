"""The fast lane: plain GETs of a key, read, remembered and answered without the web framework.

Its answers have the same bytes as those of `routes`; whatever is not plain is left to them. It
knows no sockets: `server` hands it bytes and writes what it returns.
"""
