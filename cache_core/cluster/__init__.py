"""The other nodes: the members, their health, the owner of each key, and the kept way to each node.

The room also holds what others have still to be told: the removals that a node owes to nodes that
it could not reach, and the notices for the clients that watch it. It knows peers by a Protocol
alone: no wire, no registry and no group.
"""
