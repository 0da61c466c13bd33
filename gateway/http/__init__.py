"""What HTTP says of a key: its address, its forms, their validators, caching, and problems.

The room is rules alone: plain functions from what was asked and what a node answered to what is
sent. It knows no server, no framework's routing and no connection.
"""
