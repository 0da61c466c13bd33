"""A named set of keys: what it holds, how long that is of use, and one load for what is missing.

A group is `memory` and `loading` put together. It knows no other node: which of its keys are asked
of whom is the business of `node`.
"""
