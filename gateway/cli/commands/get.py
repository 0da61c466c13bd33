"""`gaocache get`: one key's value."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from cache_core.client.client import DEFAULT_TIMEOUT
from cache_core.errors import NotFound
from cache_core.value import Terms, Value
from gateway.cli.failure import EXIT_FAILED, EXIT_NOT_FOUND, Failure
from gateway.cli.options.nodes import (
    NodeOption,
    PeersOption,
    ask,
    choose_nodes,
    exclude_each_other,
)
from gateway.cli.options.shared import TimeoutOption, check_text
from gateway.cli.output import write
from gateway.http.form.representation import as_json

if TYPE_CHECKING:
    import httpx


def get(
    context: typer.Context,
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key, as it is: not encoded.")],
    node: NodeOption = None,
    peers: PeersOption = None,
    gateway: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this gateway over HTTP instead.")
    ] = None,
    timeout: TimeoutOption = DEFAULT_TIMEOUT,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the JSON form that the gateway answers with.")
    ] = False,
) -> None:
    """Print a key's value: its exact bytes, with a newline after them on a terminal only.

    Exits with 1 where there is no such key, with 3 where anything else kept it from an answer.

    Examples:
      gaocache get scores Tom

      gaocache get scores Tom --gateway http://127.0.0.1:8000 --json

    """
    check_text("GROUP", group)
    check_text("KEY", key)
    exclude_each_other(context, "node", "peers", "gateway")
    if gateway is None:
        nodes = choose_nodes(context, node, peers)
        value = asyncio.run(ask(nodes, lambda client: client.get(group, key), timeout=timeout))
    else:
        value = _ask_gateway(gateway, group, key, timeout=timeout)
    data = as_json(group, key, value) if json_ else value.data
    end = b"\n" if json_ or sys.stdout.isatty() else b""
    write(data + end)


def _ask_gateway(url: str, group: str, key: str, *, timeout: float) -> Value:
    """Return the value that the gateway at `url` answers. Raises Failure, typer.BadParameter.

    The key is sent in the query, because clients collapse dots in a path.
    """
    import httpx  # noqa: PLC0415 - it takes 0.1 s to import

    target = f"{url.rstrip('/')}/groups/{quote(group, safe='')}/keys"
    try:
        response = httpx.get(
            target, params={"key": key, "alt": "media"}, timeout=timeout, trust_env=False
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise typer.BadParameter(
            "it should be like http://127.0.0.1:8000", param_hint="'--gateway'"
        ) from error
    except httpx.TimeoutException as error:
        words = f"gateway {url} did not answer within {timeout:g} s"
        raise Failure(words, exit_status=EXIT_FAILED) from error
    except httpx.HTTPError as error:
        words = f"gateway {url} can't be reached; is gaocache up running?"
        raise Failure(words, exit_status=EXIT_FAILED) from error
    if response.is_success:
        return Value(
            response.content, terms=Terms(content_type=response.headers.get("Content-Type", ""))
        )
    problem = _problem(response)
    not_found = problem.get("reason") == NotFound.reason
    raise Failure(
        str(problem.get("detail", f"gateway {url} answered {response.status_code}")),
        exit_status=EXIT_NOT_FOUND if not_found else EXIT_FAILED,
    )


def _problem(response: "httpx.Response") -> dict[str, object]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
