"""How nodes and clients learn who the members of their cluster are."""
