"""ASGI middleware: rules for every request, whichever resource it asks for; an idea a file.

The room knows requests and answers as they pass, and no resource.
"""
