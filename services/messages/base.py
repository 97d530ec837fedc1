"""What every kind of delivery is: it is rendered, kept, made again from what was kept, and written out for its provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from channels import WayOut
from channels.base import HttpCall, Outgoing
from domain.blocks import DeliveringBlock
from ingest.catalog import Catalog
from store.deliveries import DeliveryRow


@dataclass(frozen=True, slots=True)
class Making:
    """A delivery about to be rendered: the block that asks for it and the variables of its templates."""

    catalog: Catalog
    block: DeliveringBlock
    content: Any
    """What is to be said: the block's own content, or that of an arm of its test."""
    context: Mapping[str, Any]
    now: datetime


@dataclass(frozen=True, slots=True)
class Handing:
    """A rendered delivery on its way to a provider."""

    catalog: Catalog
    row: DeliveryRow
    way: WayOut
    at: datetime
    campaign: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    keys: tuple[str, ...] = ()
    """What calls are signed with, the current key first (ACT-30)."""
    variables: Mapping[str, Any] | None = None
    """What templates can read that are looked up at the attempt, where it is not the first."""
    devices: tuple[str, ...] = ()
    """The tokens that a transactional push goes to (CHN-06)."""
    attachments: tuple[tuple[str, bytes], ...] = ()
    """Files of a transactional email by their names (MSG-25)."""

    def outgoing(
        self,
        recipients: tuple[str, ...],
        raw: bytes,
        shown: Mapping[str, Any],
        *,
        sender: str = "",
        call: HttpCall | None = None,
    ) -> Outgoing:
        """What the provider gets: whom it is for, as what, and as people may see it."""
        row = self.row
        return Outgoing(
            workspace_id=row.workspace_id,
            key=row.delivery_id,
            attempt=row.attempts + 1,
            purpose="delivery",
            channel=row.channel,
            sender=sender,
            recipients=recipients,
            raw=raw,
            at=self.at,
            rendered=shown,
            person_id=row.person_id,
            campaign=self.campaign,
            block=row.block,
            call=call,
        )


class Rendered(Protocol):
    """One delivery as it was rendered."""

    @property
    def to(self) -> str:
        """Whom or what it goes to, as lists show it."""

    @property
    def headline(self) -> str | None:
        """Its subject, where it has one."""

    def stored(self) -> dict[str, Any]:
        """The delivery as a document, in the contract's shape; what the shape does not know stays inside."""


class MessageKind(Protocol):
    """One kind of delivery, found by the `type` of its block.

    `channel` is what deliveries and providers call it, `word` what the vendor calls such an action.
    """

    channel: ClassVar[str]
    word: ClassVar[str]

    def render(self, making: Making) -> Rendered:
        """The delivery for the journey's person as things stand now; raises RenderError naming the part that failed."""

    def restored(self, document: Mapping[str, Any]) -> Rendered:
        """The delivery behind a document that `stored` made; raises ValueError where it holds none."""

    def outgoing(self, rendered: Any, handing: Handing) -> Outgoing:
        """What the provider gets; raises RenderError where that cannot be said."""

    def copies(self, rendered: Any, handing: Handing) -> Sequence[Outgoing]:
        """What goes out besides, once the delivery was taken; failing that fails nothing."""

    def shown(self, rendered: Any) -> dict[str, Any]:
        """The delivery in the contract's shape."""


__all__ = ["Handing", "Making", "MessageKind", "Rendered"]
