"""The HTTP/JSON gateway in front of the nodes, and the `gaocache` command."""
