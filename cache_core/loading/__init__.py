"""How a source is asked: in one flight for each key, for many keys at once, within limits and time.

The room owns the Protocols that retrievers and second tiers implement. It knows no group's entries
and no kind of source.
"""
