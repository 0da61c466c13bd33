"""Messages and services generated from `protos/`; `tests/README.md` says how."""
