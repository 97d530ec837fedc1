"""One HTTP call with the path exactly as given: a client that tidies paths up would hide what is tested."""

from __future__ import annotations

import asyncio
import base64
from typing import NamedTuple


class Pair(NamedTuple):
    """A Track credential."""

    site_id: str
    api_key: str


async def raw(port: int, pair: Pair, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """The status and the body of the answer."""
    basic = base64.b64encode(f"{pair.site_id}:{pair.api_key}".encode()).decode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Basic {basic}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    answer = await reader.read()
    writer.close()
    status, _, rest = answer.partition(b"\r\n")
    return int(status.split()[1]), rest.partition(b"\r\n\r\n")[2]
