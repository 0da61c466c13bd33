"""Names of which a test can tell whether anybody still holds them.

What is kept by name for ever grows with every name that ever was. A plain string can't be watched.
"""

import gc
import weakref


class Name(str):
    """A name that is like any other string, but can be referred to weakly."""

    __slots__ = ("__weakref__",)


class Named:
    """Tells whether a name that was given out is still held; holds none itself."""

    def __init__(self) -> None:
        self._names: dict[str, weakref.ref[Name]] = {}

    def give(self, text: str) -> Name:
        """Return a name, of which there is to be one alone."""
        name = Name(text)
        self._names[str(text)] = weakref.ref(name)
        return name

    def is_held(self, text: str) -> bool:
        """Return whether anybody still holds the name that was given out."""
        gc.collect()
        return self._names[text]() is not None
