"""What holds for every request, whichever resource it asks for: ASGI middleware, an idea a file.

The room knows requests and answers as they pass, and no resource.
"""
