"""How nodes and clients learn the members of their cluster: from a list, DNS or etcd.

Each way is a Membership: it yields the members whenever they change, and may register a node among
them. The room knows no keys, and does not judge which members live: that is for `cluster`.
"""
