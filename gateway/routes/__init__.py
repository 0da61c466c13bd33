"""The gateway's resources: keys, batches, groups, the cluster, health and pages; one a file.

A route reads the request, asks the client, and leaves the form of the answer to `http`.
"""
