"""`gaocache openapi`: the gateway's OpenAPI document."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cache_core.client.client import Client
from gateway.cli.failure import Failure
from gateway.cli.output import write


def openapi(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there, not to standard output."),
    ] = None,
) -> None:
    """Print the gateway's OpenAPI document, for generated clients.

    Example:
      gaocache openapi --output openapi.json

    """
    from gateway.app import create_app  # noqa: PLC0415 - FastAPI takes 0.4 s to import

    text = json.dumps(create_app(Client()).openapi(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        write(text.encode())
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"can't write {output}: {error.strerror}") from error
