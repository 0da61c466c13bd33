"""gRPC: the only place that imports it."""
