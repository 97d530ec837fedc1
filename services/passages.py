"""Ways of people through automations that keep no journeys: broadcasts and transactional sends (CHN-15, CHN-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.deliveries import delivery_id, trigger_subject
from ingest.catalog import Campaign, Catalog
from store.journeys import ACTIVE, JourneyRow


@dataclass(slots=True)
class Passage(JourneyRow):
    """A journey that is nowhere but here: what reads journeys reads it as well, and nobody writes it.

    One of a broadcast has the number of its trigger and of its place in the audience; one of a transactional send the id
    that its delivery was given by the call.
    """

    trigger_no: int | None = None
    recipient_no: int | None = None
    transactional_id: int | None = None
    delivery: str | None = None
    languages: tuple[str, ...] = ()
    """The languages that were asked for, the most wanted first."""

    def delivery_of(self, catalog: Catalog, action_id: int) -> str:
        """The id of the delivery that an action makes on this way."""
        if self.delivery is not None:
            return self.delivery
        assert self.trigger_no is not None, "it is one of a broadcast"
        assert self.recipient_no is not None, "it is one of a broadcast"
        subject = trigger_subject(self.campaign_id, self.trigger_no, action_id, self.recipient_no)
        return delivery_id(catalog.workspace.delivery_key, subject)


def of_broadcast(
    catalog: Catalog,
    broadcast: Campaign,
    *,
    trigger_no: int,
    recipient_no: int,
    person_id: int,
    data: Mapping[str, Any],
    at: datetime,
    seq: int = 0,
) -> Passage:
    """The way of one recipient; `data` is what templates call `trigger`, that of the recipient over that of all."""
    name = f"{broadcast.id}-{trigger_no}/{recipient_no}"
    return Passage(
        workspace_id=catalog.workspace_id,
        journey_id=name,
        workflow_id=f"broadcast/{name}",
        campaign_id=broadcast.id,
        person_id=person_id,
        entry=str(recipient_no),
        single=False,
        state=ACTIVE,
        version=broadcast.version,
        started_at=at,
        started_seq=seq,
        created_at=at,
        trigger={"data": dict(data)},
        trigger_no=trigger_no,
        recipient_no=recipient_no,
    )


def of_send(
    workspace_id: int,
    delivery: str,
    *,
    transactional_id: int,
    person_id: int,
    data: Mapping[str, Any],
    languages: tuple[str, ...],
    at: datetime,
) -> Passage:
    """The way of a transactional send; `data` is its `message_data`."""
    return Passage(
        workspace_id=workspace_id,
        journey_id=delivery,
        workflow_id=f"send/{delivery}",
        campaign_id=0,
        person_id=person_id,
        entry=delivery,
        single=False,
        state=ACTIVE,
        version=1,
        started_at=at,
        started_seq=0,
        created_at=at,
        trigger={"data": dict(data)},
        transactional_id=transactional_id,
        delivery=delivery,
        languages=languages,
    )


__all__ = ["Passage", "of_broadcast", "of_send"]
