"""What nodes and workers say of themselves, put together: as records, JSON documents and a page.

The room knows what a node's description and a gateway's own figures mean. It asks nobody but
through the client that it is given.
"""
