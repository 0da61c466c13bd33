"""The reports of nodes and workers on themselves, put together: as records, JSON and a page.

The room knows what a node's report and a gateway's own figures mean. It asks nobody: its callers
hand it the answers.
"""
