"""The second tiers that a config can name: one store a file."""
