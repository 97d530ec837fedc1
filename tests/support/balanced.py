"""A client of several APIs at once, which stands where a deployment has its load balancer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import httpx


class Balanced(httpx.AsyncClient):
    """Sends each call to the next of the APIs; what one of them does not answer is not asked of another."""

    def __init__(self, urls: Sequence[str], **options: Any) -> None:
        super().__init__(base_url=urls[0], **options)
        self.urls = list(urls)
        self._turns = cycle([httpx.URL(url) for url in urls])

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """One call; one that names another host than ours goes there."""
        if (request.url.host, request.url.port) == (self.base_url.host, self.base_url.port):
            turn = next(self._turns)
            request.url = request.url.copy_with(host=turn.host, port=turn.port)
            request.headers["Host"] = turn.netloc.decode()
        return await super().send(request, **options)


def another(client: httpx.AsyncClient, **options: Any) -> httpx.AsyncClient:
    """A client of the same APIs with connections of its own."""
    return Balanced(client.urls if isinstance(client, Balanced) else [str(client.base_url)], **options)
