"""Messages and services generated from `protos/`; see README, "Developing"."""
