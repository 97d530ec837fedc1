"""What the roles of one worker process share: each part is made, and its code loaded, when a role first asks for it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import TYPE_CHECKING

from clock import system_now
from ingest.catalog import Catalogs
from keeper import Keeper
from settings import Settings, pairs_of
from store.database import Database
from store.notify import Listener, Notifier
from telemetry.setup import traced

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.runtime import Runtime

    from activities.messages import MessageActivities
    from services.calls import Call
    from services.deliveries import Deliverer
    from services.draft_actions import Releaser
    from services.precedence import Precedence
    from workflows.gateway import Gateway


class Parts:
    """What the roles of one process share; each part is made, and its code loaded, when a role first asks for it."""

    def __init__(self, settings: Settings, keeper: Keeper, db: Database, listener: Listener) -> None:
        self.settings = settings
        self.keeper = keeper
        self.db = db
        self.listener = listener
        self.notifier = Notifier(db.pool)
        self.catalogs = Catalogs()
        self.worker_id = f"{socket.gethostname()}-{os.getpid()}-{system_now():%Y%m%dT%H%M%S}"
        self._client: Client | None = None

    @property
    def stop(self) -> asyncio.Event:
        """Set when the process is to end."""
        return self.keeper.stop

    @cached_property
    def deliverer(self) -> Deliverer:
        """What hands messages over to providers."""
        from channels import Channels
        from channels.base import Outside
        from services.captures import CaptureMailbox
        from services.deliveries import Deliverer

        settings = self.settings
        return Deliverer(
            self.db,
            self.catalogs,
            Channels(),
            link_base_url=settings.link_base_url,
            secrets=settings.secrets,
            ambiguous_resend=settings.ambiguous_resend,
            outside=Outside(CaptureMailbox(self.db), settings.secrets, allow_private=settings.allow_private_urls),
        )

    @cached_property
    def calls(self) -> Mapping[str, Call]:
        """The calls that data blocks make to the outside, by the type of the block."""
        from services.calls.llm import LlmCall
        from services.llm import access_to

        llm = self.settings.llm
        access = access_to(
            anthropic=(llm.anthropic_base_url, llm.anthropic_api_key), openai=(llm.openai_base_url, llm.openai_api_key)
        )
        return {"llm": LlmCall(self.db, access, fake=llm.fake)}

    @cached_property
    def releaser(self) -> Releaser:
        """What sends drafts, and carries drafted actions out, when their turn has come."""
        from services.draft_actions import Releaser

        base = self.settings.link_base_url
        return Releaser(self.db, self.catalogs, self.notifier, base, calls=self.calls)

    @cached_property
    def precedence(self) -> Precedence:
        """What lets sends that somebody waits for go before broadcasts."""
        from services.precedence import Precedence

        return Precedence()

    @cached_property
    def messages(self) -> MessageActivities:
        """The delivering activity, one for all its queues."""
        from activities.messages import MessageActivities

        return MessageActivities(self.db, self.catalogs, self.notifier, self.deliverer, system_now, calls=self.calls)

    def traced(self, roles: Sequence[str]) -> AbstractAsyncContextManager[None]:
        """Traces of this process, where they are on."""
        wanted = self.settings.tracing
        return traced(
            "sojourn-worker",
            endpoint=wanted.endpoint,
            sample=wanted.sample,
            headers=pairs_of(wanted.headers),
            resource={
                "service.instance.id": self.worker_id,
                "sojourn.roles": ",".join(roles),
                **pairs_of(wanted.attributes),
            },
        )

    async def gateway(self) -> Gateway:
        """The way to Temporal for those who come and go; connects when it is first used."""
        from workflows.gateway import Gateway

        return await Gateway.connect(self._address, self.settings.temporal_namespace)

    async def polling_gateway(self) -> Gateway:
        """The connection that this process's Temporal workers share; raises `TemporalAway`."""
        from workflows.gateway import Gateway

        if self._client is None:
            gateway = await Gateway.connect(
                self._address,
                self.settings.temporal_namespace,
                lazy=False,
                runtime=self._runtime,
                identity=self.worker_id,
            )
            self._client = gateway.client
        return Gateway(self._client)

    async def close(self) -> None:
        """Close what was opened."""
        if "messages" in self.__dict__:
            await self.messages.close()
        if "deliverer" in self.__dict__:
            await self.deliverer.close()
        await self.notifier.close()

    @cached_property
    def _runtime(self) -> Runtime:
        from workflows.runtime import temporal_runtime

        return temporal_runtime()

    @property
    def _address(self) -> str:
        return self.settings.temporal_address or f"127.0.0.1:{self.settings.temporal_port}"


__all__ = ["Parts"]
