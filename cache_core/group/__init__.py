"""A named set of keys: its entries, how long each is of use, and one load for a key that has none.

A group is `memory` and `loading` put together. It knows no other node: which node is asked for
which key is for `node` to decide.
"""
