"""What the OpenAPI document says beyond what FastAPI reads off the routes."""
