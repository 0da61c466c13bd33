"""A group whose values come from the user's own code: a function, or an object with methods.

The room knows how to find that code by its name, and how to call it without holding up the loop.
"""
