"""The registry of triggers: a new one is its own file and one term in the union."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, get_args

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from domain.definitions.triggers.base import Mode, PlacedCondition, PlacedWhere, TriggerBase
from domain.definitions.triggers.date import DateTrigger
from domain.definitions.triggers.event import EventTrigger
from domain.definitions.triggers.form import FormTrigger
from domain.definitions.triggers.object import ObjectTrigger
from domain.definitions.triggers.relationship import RelationshipTrigger
from domain.definitions.triggers.segment import SegmentTrigger
from domain.definitions.triggers.webhook import WebhookTrigger
from domain.documents import Document, Refusal, refused

_Union = (
    SegmentTrigger | EventTrigger | FormTrigger | DateTrigger | ObjectTrigger | RelationshipTrigger | WebhookTrigger
)

TRIGGERS: Final[Mapping[str, type[TriggerBase]]] = {kind.type_name(): kind for kind in get_args(_Union)}
"""Every trigger by the word of its `type`."""


def _read_trigger(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    """Choose by `type`, so that errors point into the trigger as it was written."""
    if isinstance(value, Document):
        return value
    if not isinstance(value, dict):
        raise refused(Refusal("type", "A trigger is an object with a type.", (), value))
    if "type" not in value:
        raise refused(Refusal("required", "Give the trigger a type.", ("type",)))
    chosen = TRIGGERS.get(value["type"]) if isinstance(value["type"], str) else None
    if chosen is None:
        message = f"Not a trigger; known are {', '.join(TRIGGERS)}."
        raise refused(Refusal("enum", message, ("type",), value["type"]))
    return chosen.model_validate(value)


Trigger = Annotated[_Union, Field(discriminator="type"), WrapValidator(_read_trigger)]
"""What starts a journey, told apart by `type`."""

__all__ = [
    "TRIGGERS",
    "DateTrigger",
    "EventTrigger",
    "FormTrigger",
    "Mode",
    "ObjectTrigger",
    "PlacedCondition",
    "PlacedWhere",
    "RelationshipTrigger",
    "SegmentTrigger",
    "Trigger",
    "TriggerBase",
    "WebhookTrigger",
]
