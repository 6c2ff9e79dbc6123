"""Calls the server through the client that openrpcclientgenerator made."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
from pathlib import Path
from typing import Any

import core_rpc_http_client
from core_rpc_http_client.client import CoreRpcClient
from jsonrpc2pyclient.httpclient import AsyncRPCHTTPClient
from jsonrpcobjects.errors import JSONRPCError

DOCUMENT = json.loads(Path("openrpc.json").read_text())
EXAMPLES = {
    method["name"]: {param["name"]: param["value"] for param in method["examples"][0]["params"]}
    for method in DOCUMENT["methods"]
}
HEADERS = {"Authorization": f"Bearer {os.environ['TOKEN']}"}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


class WireNames(AsyncRPCHTTPClient):
    """Sends parameters by the names that the document has.

    The generator (0.51.7) writes programId as program_id, which is good Python, but also sends it so, and
    a server must refuse a name that is not in the document.
    """

    async def call(self, method: str, params: Any = None, **options: Any) -> Any:
        return await super().call(method, {camel(name): value for name, value in params.items()}, **options)


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


async def as_it_was_made(client: CoreRpcClient) -> int:
    """Methods whose parameters are single words, which need no help."""
    programs = await client.core.list_active_programs()
    assert programs, "no program is active"
    assert set(programs[0]) == set(DOCUMENT["components"]["schemas"]["ProgramInfo"]["required"])
    wanted = EXAMPLES["core.ProgramsAfter"]
    assert await client.core.programs_after(wanted["kind"], wanted["after"])
    children = await client.core.program_child_list(EXAMPLES["core.ProgramChildList"]["id"])
    assert all(child["parentId"] == EXAMPLES["core.ProgramChildList"]["id"] for child in children)
    assert children
    asked = EXAMPLES["core.UserHasGroup"]
    assert await client.core.user_has_group(asked["id"], asked["handle"]) in (True, False)
    found = await client.rpc.discover()
    assert len(found["methods"]) == len(DOCUMENT["methods"])
    return 5


async def every_example(client: CoreRpcClient) -> int:
    """Every method with its example, in the order of the document."""
    calls = 0
    for name, given in EXAMPLES.items():
        namespace, _, function = name.partition(".")
        group = getattr(client, namespace)
        group.transport = WireNames(os.environ["URL"], dict(HEADERS))
        await getattr(group, snake(function))(**{snake(key): value for key, value in given.items()})
        calls += 1
    return calls


async def with_a_wrong_token() -> None:
    stranger = CoreRpcClient({"Authorization": "Bearer crpc_nobody"}, os.environ["URL"])
    refused = None
    try:
        await stranger.core.list_active_programs()
    except JSONRPCError as error:
        refused = error.rpc_error.code
    assert refused == -32004, refused


async def main() -> None:
    client = CoreRpcClient(dict(HEADERS), os.environ["URL"])
    alone, helped = await as_it_was_made(client), await every_example(client)
    await with_a_wrong_token()
    assert helped == len(DOCUMENT["methods"]) > 0
    made = Path(inspect.getfile(core_rpc_http_client)).parent
    print(f"{made.name}: {alone} calls as it was made, {helped} with the names mended")


asyncio.run(main())
