"""The forms of a value: JSON, text or exact bytes, coded, in ranges, and on conditions.

The room decides which form a request gets, and whether it gets one at all. It knows neither groups
nor nodes, and sends nothing.
"""
