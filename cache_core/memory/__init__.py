"""What is held in memory: a map with a strict budget in bytes, its slots, expiries and eviction.

The room is pure: it knows no clock, no event loop and no source. Times are numbers that the caller
passes in.
"""
