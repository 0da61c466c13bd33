"""What is on the wire: frames, header blocks, settings and codes (RFC 9113, sections 4, 6 to 8).

Knows the form of each and the rules that it keeps by itself, and no stream and no connection.
"""
