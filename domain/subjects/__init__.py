"""What the leaves of a condition look at. Adding one is one file and one line in `SUBJECTS`."""

from __future__ import annotations

from domain.subjects.attribute import Attribute
from domain.subjects.base import Moment, RecordSubject, Subject
from domain.subjects.cohort import Cohort
from domain.subjects.device import Device
from domain.subjects.event import TriggerEvent
from domain.subjects.journey import JourneyAttribute
from domain.subjects.message import Message
from domain.subjects.performed import Performed
from domain.subjects.related import Related
from domain.subjects.segment import Segment
from domain.subjects.trigger import TriggerData
from domain.subjects.triggering import TriggeringObject, TriggeringRelationship

SUBJECTS: dict[str, type[Subject]] = {
    subject.root: subject
    for subject in (
        Attribute,
        Segment,
        Performed,
        Message,
        Device,
        Related,
        JourneyAttribute,
        Cohort,
        TriggerEvent,
        TriggerData,
        TriggeringObject,
        TriggeringRelationship,
    )
}
"""Leaf root to subject."""

__all__ = [
    "SUBJECTS",
    "Attribute",
    "Cohort",
    "Device",
    "JourneyAttribute",
    "Message",
    "Moment",
    "Performed",
    "RecordSubject",
    "Related",
    "Segment",
    "Subject",
    "TriggerData",
    "TriggerEvent",
    "TriggeringObject",
    "TriggeringRelationship",
]
