"""The most hits that any cache of a size can have, which knows the future. Prints nothing."""

import heapq
from collections.abc import Sequence


def best_of_equal_weights(requests: Sequence[int], entries: int) -> int:
    """Return the most hits of any cache of so many entries: MIN, which is exact.

    What is used farthest ahead leaves, or is not let in (Belady: A study of replacement
    algorithms for a virtual-storage computer, 1966).
    """
    upcoming = _next_uses(requests)
    never = len(requests)
    held: dict[int, int] = {}
    farthest: list[tuple[int, int]] = []
    hits = 0
    for key, following in zip(requests, upcoming, strict=True):
        if held.pop(key, None) is not None:
            hits += 1
        if following == never:
            continue
        if len(held) == entries:
            while held.get(farthest[0][1]) != -farthest[0][0]:
                heapq.heappop(farthest)
            if -farthest[0][0] < following:
                continue
            del held[heapq.heappop(farthest)[1]]
        held[key] = following
        heapq.heappush(farthest, (-following, key))
    return hits


def bound_of_weights(requests: Sequence[int], weights: Sequence[int], capacity: int) -> int:
    """Return hits that no cache of so many bytes can exceed, where keys weigh differently.

    The best itself is NP-hard to find, and dropping what is used farthest ahead is far from it:
    it keeps one huge entry rather than a hundred small ones. Holding a key until its next use
    takes its weight times that many requests, and there is the capacity times all requests to
    spend: the bound spends it on the cheapest (PFOO-L of Berger, Beckmann, Harchol-Balter:
    Practical bounds on optimal caching with variable object sizes, 2018).
    """
    never = len(requests)
    costs = sorted(
        (following - position) * weights[key]
        for position, (key, following) in enumerate(
            zip(requests, _next_uses(requests), strict=True)
        )
        if following < never and weights[key] <= capacity
    )
    left = capacity * len(requests)
    for hits, cost in enumerate(costs):
        if cost > left:
            return hits
        left -= cost
    return len(costs)


def _next_uses(requests: Sequence[int]) -> list[int]:
    never = len(requests)
    upcoming = [never] * len(requests)
    seen: dict[int, int] = {}
    for position in range(len(requests) - 1, -1, -1):
        upcoming[position] = seen.get(requests[position], never)
        seen[requests[position]] = position
    return upcoming
