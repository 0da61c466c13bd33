"""A group whose values come from an HTTP API, by one GET for each key.

The room knows how a key becomes a URL that can't leave its place, which addresses may be connected
to, and what an answer says of its type and its freshness.
"""
