"""`curl` as the documents have it, answered without a curl on the machine."""

import argparse
import re
import shlex

import httpx


async def curl(command: str) -> str:
    """Return what `command` prints; a `| grep WORD` at its end keeps the lines with that word."""
    command, _, word = command.partition(" | grep ")
    arguments = shlex.split(command)
    assert arguments[0] == "curl"
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-G", action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-X", default=None)
    parser.add_argument("-w", choices=["%{http_code}"])
    parser.add_argument("--json", default=None)
    parser.add_argument("--data-urlencode", action="append", default=[])
    parser.add_argument("url")
    asked = parser.parse_args(arguments[1:])
    assert bool(asked.data_urlencode) == asked.G
    query = dict(field.split("=", 1) for field in asked.data_urlencode)
    method = asked.X or ("GET" if asked.json is None else "POST")
    headers = [tuple(header.split(": ", 1)) for header in asked.H]
    if asked.json is not None:
        headers.append(("Content-Type", "application/json"))
    headers.append(("Accept-Encoding", "identity"))
    url = asked.url if "://" in asked.url else f"http://{asked.url}"
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        response = await http.request(
            method, url, params=query or None, content=asked.json, headers=headers
        )
    printed = response.text + (str(response.status_code) if asked.w else "")
    if asked.i:
        printed = f"{_head(response)}\n{printed}"
    return "".join(re.findall(rf"^.*{word}.*\n?", printed, flags=re.MULTILINE)) if word else printed


def _head(response: httpx.Response) -> str:
    status = f"{response.http_version} {response.status_code} {response.reason_phrase}\n"
    fields = (f"{name.decode()}: {value.decode()}\n" for name, value in response.headers.raw)
    return status + "".join(fields)
