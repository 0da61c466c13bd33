"""What a request may ask for at most."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, of group and key once decoded; `timeout` in seconds."""

    group_bytes: int = 128
    key_bytes: int = 1024
    target_bytes: int = 8 * 1024
    timeout: float = 2.0
