"""The other nodes: which there are, which of them live, who owns a key, and the kept way to each.

The room also holds what the others have still to hear: removals that a node owes to those it could
not reach, and the clients that watch it. It knows peers by a Protocol alone: no wire, no registry
and no group.
"""
