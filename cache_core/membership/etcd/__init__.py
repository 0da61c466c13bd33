"""Members who register in etcd under a lease, and are dropped when the lease is over.

The room knows etcd's calls for leases, ranges and watches, by the library aetcd, which is an extra:
it is imported only for a URL that begins with `etcd://`.
"""
