"""What only a store can answer: the cause of the RetrieverFailed that stands for its answer."""


class StoreRefuses(Exception):
    """The store lets its user do less than is needed."""


class StoreFull(Exception):
    """The store has no room, and evicts nothing for it."""
