"""Messages as a table, oldest last (PPL-49, APP-13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.exports import DeliveriesExport
from domain.values import from_unix, to_unix
from services.exporting.job import PAGE, Job, Row
from services.looking import messages as looking
from store.reads import messages as reads
from store.reads import people as people_reads
from store.reads.cursor import instant, micros
from store.reads.messages import MessageFilter
from store.reads.people import PersonRead

FILE = "deliveries.csv"
COLUMNS = (
    "id",
    "customer_id",
    "cio_id",
    "email",
    "type",
    "campaign_id",
    "broadcast_id",
    "transactional_message_id",
    "action_id",
    "content_id",
    "block",
    "language",
    "recipient",
    "subject",
    "status",
    "failure_message",
    "created",
)
_STORED_METRIC: Mapping[str, str] = {"dropped": "suppressed"}


async def page(job: Job) -> bool:
    """The next messages; False when none is left."""
    request = DeliveriesExport.model_validate(job.row.request)
    last = job.state.get("last")
    before = None if last is None else (instant(last[0]), str(last[1]))
    found = await reads.page(job.conn, job.workspace_id, _filter(request), before=before, limit=PAGE)
    people = await people_reads.by_numbers(job.conn, job.workspace_id, [message.person_id for message in found])
    columns = [*COLUMNS, *(name for name in request.attributes if name not in COLUMNS)]
    rows = []
    for message in found:
        person = people.get(message.person_id or 0)
        rows.append(Row(message.person_id, _cells(looking.shown(message, person), person, request.attributes)))
    job.row.total += job.add_rows(FILE, columns, rows)
    job.looked(len(found))
    if found:
        job.state["last"] = [micros(found[-1].created_at), found[-1].delivery_id]
    return len(found) == PAGE


def _filter(request: DeliveriesExport) -> MessageFilter:
    metric = None if request.metric in (None, "created") else request.metric
    return MessageFilter(
        campaign_id=request.campaign_id,
        transactional_id=request.transactional_message_id,
        action_id=request.action_id,
        template_id=request.template_id,
        metric=None if metric is None else _STORED_METRIC.get(metric, metric),
        draft=request.drafts,
        since=None if request.start is None else from_unix(request.start),
        until=None if request.end is None else from_unix(request.end + 1),
    )


def _cells(message: Mapping[str, Any], person: PersonRead | None, chosen: tuple[str, ...]) -> dict[str, Any]:
    names = dict.fromkeys(("cio_id", "email")) if person is None else person.identifiers
    cells: dict[str, Any] = {name: message.get(name) for name in COLUMNS}
    cells |= {"cio_id": names["cio_id"], "email": names["email"]} | dict(message["metrics"])
    if person is not None:
        known = {**person.attributes, **person.identifiers, "_created_in_customerio_at": to_unix(person.created_at)}
        cells |= {name: known.get(name) for name in chosen if name not in COLUMNS}
    return cells


__all__ = ["page"]
