"""Track calls of both versions as operations: who is meant, what is asked for, with the documented refusals (API-15)."""

from __future__ import annotations

from domain.track.calls import Call, CallRefused, Fault, Rules
from domain.track.devices import add_device, delete_device
from domain.track.entities import entity
from domain.track.events import anonymous_event, event
from domain.track.identifiers import id_faults, identifier_of, subject_of
from domain.track.identifying import identify
from domain.track.merging import merge
from domain.track.metrics import check_channel, metric, push_event
from domain.track.segments import change_members, kind_of

__all__ = [
    "Call",
    "CallRefused",
    "Fault",
    "Rules",
    "add_device",
    "anonymous_event",
    "change_members",
    "check_channel",
    "delete_device",
    "entity",
    "event",
    "id_faults",
    "identifier_of",
    "identify",
    "kind_of",
    "merge",
    "metric",
    "push_event",
    "subject_of",
]
