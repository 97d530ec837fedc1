"""What people have besides attributes and events, as conditions see it: devices, objects related to, messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.condition_keys import DEVICES, MESSAGES, RELATED
from domain.facts import DeviceFact, Happening, MessageFact, Position, RelatedFact
from domain.ids import cio_object_id
from domain.values import EPOCH, to_unix
from store import devices, message_events, relationships
from store.database import Connection
from store.devices import DeviceRow
from store.message_events import Message
from store.relationships import Related

RECIPIENT = "recipient"
"""The status of every message from the instant it is made."""
_BY_MACHINES: Mapping[str, str] = {"opened": "human_opened", "clicked": "human_clicked"}


@dataclass(frozen=True, slots=True)
class Records:
    """What was read of one person; empty where nothing mentions the kind."""

    devices: tuple[DeviceFact, ...] = ()
    related: tuple[RelatedFact, ...] = ()
    messages: tuple[MessageFact, ...] = ()

    def renewed(self, found: Records, kinds: Collection[str]) -> Records:
        """The same with these kinds as they have been found anew."""
        return Records(
            found.devices if DEVICES in kinds else self.devices,
            found.related if RELATED in kinds else self.related,
            found.messages if MESSAGES in kinds else self.messages,
        )


NO_RECORDS = Records()


async def read_records(conn: Connection, workspace_id: int, wanted: Mapping[int, frozenset[str]]) -> dict[int, Records]:
    """The records of these people, of the kinds wanted of each; who has none of them is left out."""

    def asking(kind: str) -> list[int]:
        return [person_id for person_id, kinds in wanted.items() if kind in kinds]

    devices_of: dict[int, list[DeviceFact]] = defaultdict(list)
    related_of: dict[int, list[RelatedFact]] = defaultdict(list)
    messages_of: dict[int, list[MessageFact]] = defaultdict(list)
    if people := asking(DEVICES):
        for device in await devices.of_people(conn, workspace_id, people):
            devices_of[device.person_id].append(_device(device))
    if people := asking(RELATED):
        for thing in await relationships.of_people(conn, workspace_id, people):
            related_of[thing.person_id].append(_related(thing))
    if people := asking(MESSAGES):
        for message in await message_events.of_people(conn, workspace_id, people):
            messages_of[message.person_id].append(_message(message))
    return {
        number: Records(tuple(devices_of[number]), tuple(related_of[number]), tuple(messages_of[number]))
        for number in {*devices_of, *related_of, *messages_of}
    }


def _device(row: DeviceRow) -> DeviceFact:
    return DeviceFact(row.platform, to_unix(row.last_used), row.last_status, row.attributes)


def object_record(object_no: int, object_id: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """An object as conditions compare it: its attributes, its identifiers among them."""
    return {**attributes, "object_id": object_id, "cio_object_id": cio_object_id(object_no)}


def _related(thing: Related) -> RelatedFact:
    record = object_record(thing.object_no, thing.object_id, thing.attributes)
    return RelatedFact(thing.object_type_id, record, thing.relationship, thing.object_no)


def _message(message: Message) -> MessageFact:
    happenings = [Happening(RECIPIENT, Position(message.created_at, 0)), *_reported(message)]
    reported = {happening.metric for happening in happenings}
    for metric, micros in message.metrics.items():
        if metric not in reported:
            human = _BY_MACHINES.get(metric, metric) in message.metrics
            happenings.append(Happening(metric, Position(EPOCH + timedelta(microseconds=micros), 0), human))
    return MessageFact(
        message.channel, message.campaign_id, message.action_id, tuple(happenings), message.transactional_id
    )


def _reported(message: Message) -> Iterable[Happening]:
    for event in message.events:
        at = EPOCH + timedelta(microseconds=int(event["at"]))
        yield Happening(event["metric"], Position(at, event["seq"]), event["human"], event["link"], event["response"])


__all__ = ["NO_RECORDS", "RECIPIENT", "Records", "object_record", "read_records"]
