"""Everything there is of one person or one object, as files of JSON (PPL-50)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from domain.exports import ObjectExport
from domain.ids import cio_id, cio_object_id
from domain.values import to_unix
from services.exporting.job import PAGE, ExportFailed, Job
from services.looking import messages as looking
from services.looking.people import MICROS
from store.reads import exported as reads
from store.reads import messages as message_reads
from store.reads import people as people_reads
from store.reads.cursor import instant, micros
from store.reads.exported import ExportedPerson, ExportedRelationship
from store.reads.messages import MessageFilter

MOST_DEVICES = 25
GONE = "The person is not there any more."


async def person(job: Job) -> bool:
    """The next part of what there is of a person: the profile, then events, then messages."""
    person_id = int(job.task.payload["person_id"])
    match job.state.setdefault("part", "profile"):
        case "profile":
            found = await reads.person(job.conn, job.workspace_id, person_id)
            if found is None:
                raise ExportFailed(GONE)
            await _profile(job, found)
            job.state["part"] = "events"
            return True
        case "events":
            if not await _events(job, person_id):
                job.state.update({"part": "messages", "last": None})
            return True
        case _:
            return await _messages(job, person_id)


async def _profile(job: Job, found: ExportedPerson) -> None:
    read = await people_reads.by_number(job.conn, job.workspace_id, found.person_id)
    times = {} if read is None else {name: at // MICROS for name, at in read.attribute_times.items()}
    attributes = {**found.attributes, **{n: v for n, v in found.named.items() if v is not None}}
    extra = {"_created_in_customerio_at": to_unix(found.created_at)}
    _add(job, "attributes.json", found.person_id, {"attributes": {**attributes, **extra}, "timestamps": times})
    owned = await reads.devices(job.conn, job.workspace_id, "", 1000, found.person_id)
    owned.sort(key=lambda device: device.last_used, reverse=True)
    devices = [
        {"id": d.token, "platform": d.platform, "last_used": to_unix(d.last_used), "attributes": d.attributes}
        for d in owned[:MOST_DEVICES]
    ]
    _add(job, "devices.json", found.person_id, devices)
    edges = await reads.relationships_of_people(job.conn, job.workspace_id, [found.person_id], [])
    related = [
        {
            "object_type_id": str(edge.object_type_id),
            "object_id": edge.object_id,
            "cio_object_id": cio_object_id(edge.object_no),
            "attributes": edge.attributes,
            "created_at": to_unix(edge.created_at),
        }
        for edge in edges
    ]
    _add(job, "relationships.json", found.person_id, related)


async def _events(job: Job, person_id: int) -> bool:
    last = job.state.get("last")
    after = None if last is None else (instant(last[0]), int(last[1]))
    found = await reads.events_of(job.conn, job.workspace_id, person_id, after, PAGE)
    for event in found:
        line = {"name": event.name, "type": event.type, "timestamp": to_unix(event.at), "data": event.data}
        _add(job, "events.json.gz", person_id, line | ({"id": event.event_id} if event.event_id else {}))
    if found:
        job.state["last"] = [micros(found[-1].at), found[-1].seq]
    job.looked(len(found))
    return len(found) == PAGE


async def _messages(job: Job, person_id: int) -> bool:
    last = job.state.get("last")
    before = None if last is None else (instant(last[0]), str(last[1]))
    which = MessageFilter(person_id=person_id)
    size = PAGE // 10
    found = await message_reads.page(job.conn, job.workspace_id, which, before=before, limit=size)
    for message in found:
        shown = looking.shown(message, None)
        content = await message_reads.content(job.conn, job.workspace_id, message)
        details = {k: v for k, v in shown.items() if k != "metrics"}
        rendered = None if content is None or message.forgotten else content.rendered
        _add(job, "details.json", person_id, {**details, "content": rendered})
        _add(job, "metrics.json", person_id, {"id": message.delivery_id, "metrics": shown["metrics"]})
    if found:
        job.state["last"] = [micros(found[-1].created_at), found[-1].delivery_id]
    job.looked(len(found))
    if len(found) == size:
        return True
    job.row.total = 1
    return False


async def one_object(job: Job) -> bool:
    """What there is of an object."""
    request = ObjectExport.model_validate(job.row.request)
    found = await reads.object_named(job.conn, job.workspace_id, request.object_type_id, request.object_id)
    if found is None:
        raise ExportFailed("The object is not there any more.")
    named = {
        "cio_object_id": cio_object_id(found.object_no),
        "object_type_id": str(found.object_type_id),
        "object_id": found.object_id,
    }
    about = {**named, "attributes": found.attributes, "created_at": to_unix(found.created_at)}
    _add(job, "attributes.json", None, about)
    for edge in await reads.relationships_of_objects(job.conn, job.workspace_id, [found.object_no]):
        _add(job, "relationships.json", edge.person_id, {"cio_object_id": named["cio_object_id"], **_edge(edge)})
    job.row.total = 1
    return False


def _edge(edge: ExportedRelationship) -> dict[str, Any]:
    return {
        "cio_id": cio_id(edge.person_id),
        "id": edge.id,
        "email": edge.email,
        "attributes": edge.attributes,
        "created_at": to_unix(edge.created_at),
    }


def _add(job: Job, file: str, person_id: int | None, value: Mapping[str, Any] | list[Any]) -> None:
    job.add_line(file, person_id, orjson.dumps(value).decode())


__all__ = ["GONE", "one_object", "person"]
