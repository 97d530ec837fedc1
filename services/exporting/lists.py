"""Smaller tables: devices, people who share a value, who entered and left a segment (PPL-49)."""

from __future__ import annotations

from typing import Any

from domain.exports import DuplicatesExport, SegmentChangesExport
from domain.ids import cio_id
from domain.values import from_unix, to_unix
from services.exporting.customers import NAMED
from services.exporting.job import PAGE, Job, Row
from store import tasks
from store.reads import exported as reads

DEVICES_FILE = "devices.csv"
DUPLICATES_FILE = "duplicates.csv"
CHANGES_FILE = "changes.csv"
SHARED_PART = 50_000
"""How many people are held against one another at once."""


async def devices(job: Job) -> bool:
    """The next devices with their owners."""
    found = await reads.devices(job.conn, job.workspace_id, str(job.state.get("last", "")), PAGE)
    columns = (*NAMED, "token", "platform", "last_used", "last_status", "created_at")
    rows = []
    for device in found:
        cells: dict[str, Any] = {f"device.{name}": value for name, value in device.attributes.items()}
        cells |= {"id": device.id, "email": device.email, "cio_id": cio_id(device.person_id), "token": device.token}
        cells |= {"platform": device.platform, "last_used": to_unix(device.last_used)}
        cells |= {"last_status": device.last_status, "created_at": to_unix(device.created_at)}
        rows.append(Row(device.person_id, cells))
    job.row.total += job.add_rows(DEVICES_FILE, columns, rows)
    job.looked(len(found))
    if found:
        job.state["last"] = found[-1].token
    return len(found) == PAGE


async def duplicates(job: Job) -> bool:
    """The next people who share a value, those of one value together."""
    attribute = DuplicatesExport.model_validate(job.row.request).attribute
    parts = job.state.get("parts")
    if parts is None:
        count = await tasks.count_people(job.conn, job.workspace_id)
        parts = job.state["parts"] = count // SHARED_PART + 1
    last = job.state.get("last", ["", 0])
    part = job.task.cursor
    found = await reads.shared_values(
        job.conn,
        job.workspace_id,
        attribute,
        part=part,
        parts=parts,
        after=(str(last[0]), int(last[1])),
        limit=5 * PAGE,
    )
    rows = []
    for shared in found:
        cells = {"id": shared.id, "email": shared.email, "cio_id": cio_id(shared.person_id), attribute: shared.value}
        rows.append(Row(shared.person_id, cells))
    columns = list(dict.fromkeys((attribute, *NAMED)))
    job.row.total += job.add_rows(DUPLICATES_FILE, columns, rows)
    job.looked(len(found))
    if len(found) == 5 * PAGE:
        job.state["last"] = [found[-1].value, found[-1].person_id]
        return True
    job.task.cursor, job.state["last"] = part + 1, ["", 0]
    return part + 1 < parts


async def segment_changes(job: Job) -> bool:
    """The next times somebody entered or left."""
    request = SegmentChangesExport.model_validate(job.row.request)
    assert isinstance(request.segment, int), "resolved when it was asked for"
    found = await reads.segment_changes(
        job.conn,
        job.workspace_id,
        request.segment,
        since=None if request.start is None else from_unix(request.start),
        until=None if request.end is None else from_unix(request.end + 1),
        after=job.task.cursor,
        limit=PAGE,
    )
    rows = []
    for change in found:
        word = "entered" if change.type == "segment_enter" else "left"
        named = {"id": change.id, "email": change.email, "cio_id": cio_id(change.person_id)}
        rows.append(Row(change.person_id, {**named, "change": word, "at": to_unix(change.at)}))
    job.row.total += job.add_rows(CHANGES_FILE, (*NAMED, "change", "at"), rows)
    job.looked(len(found))
    if found:
        job.task.cursor = found[-1].activity_id
    return len(found) == PAGE


__all__ = ["devices", "duplicates", "segment_changes"]
