"""One connection of HTTP/1.1: what comes is taken request by request, and answered in that order.

Plain GETs go by the lane, all else by ASGI to the app. uvicorn's server makes the connections.
"""
