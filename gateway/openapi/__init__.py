"""What the OpenAPI document says beyond what FastAPI reads off the routes.

The room knows the headers, problems and examples of the contract. It answers no request.
"""
