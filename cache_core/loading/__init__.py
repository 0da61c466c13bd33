"""How a source is asked: one flight a key, many keys at once, within limits and times.

The room owns the Protocols that retrievers and second tiers implement. It knows nothing of what a
group holds and nothing of any kind of source.
"""
