"""Limits and timings that both ends of the wire agree on."""

from typing import Final

MAX_VALUE_BYTES: Final = 4 * 1024 * 1024
"""The largest value that is answered."""

MAX_MESSAGE_BYTES: Final = MAX_VALUE_BYTES + 64 * 1024
"""The largest message that is sent or taken: a value and room for what is around it."""

MAX_BATCH_ITEMS: Final = 1_000
"""How many keys one batch may ask for."""

KEEPALIVE_SECONDS: Final = 30.0
"""How long a node may say nothing while calls run until a client asks whether it still lives."""

MIN_PING_MS: Final = 15_000
"""The shortest time between pings that a server permits; it ends a channel that pings sooner."""

QUIET_SECONDS: Final = 60.0
"""A client that says nothing for so long is asked whether it still lives."""

FLUSH_SECONDS: Final = 1.0
"""How long answers already given may take to leave a server that stops."""
