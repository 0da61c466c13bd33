"""Limits and timings that both ends of the wire agree on."""

from typing import Final

MAX_VALUE_BYTES: Final = 4 * 1024 * 1024
"""The largest value that is answered."""

MAX_MESSAGE_BYTES: Final = MAX_VALUE_BYTES + 64 * 1024
"""The largest message that is sent or taken: a value and room for what is around it."""

MAX_BATCH_ITEMS: Final = 1_000
"""How many keys one batch may ask for."""

KEEPALIVE_MS: Final = 30_000
"""How often a client pings its channel while calls run."""

MIN_PING_MS: Final = KEEPALIVE_MS // 2
"""The shortest time between pings that a server permits; it ends a channel that pings sooner."""

FLUSH_SECONDS: Final = 1.0
"""How long answers already given may take to leave a server that stops."""
