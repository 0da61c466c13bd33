"""The parts of the OpenAPI document that FastAPI does not read off the routes.

The room knows the headers, problems and examples of the contract. It answers no request.
"""
