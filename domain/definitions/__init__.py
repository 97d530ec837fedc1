"""The registry of definitions: a new kind is its own file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from domain.definitions.automation import AutomationDefinition
from domain.definitions.base import Definition, Surroundings, Template, Use
from domain.definitions.broadcast import BroadcastDefinition
from domain.definitions.campaign import CampaignDefinition
from domain.definitions.collection import CollectionDefinition
from domain.definitions.domain import DomainDefinition
from domain.definitions.form import FormDefinition
from domain.definitions.layout import LayoutDefinition
from domain.definitions.object_type import ObjectTypeDefinition
from domain.definitions.provider import ProviderDefinition
from domain.definitions.segment import SegmentDefinition
from domain.definitions.sender import SenderDefinition
from domain.definitions.settings import SettingsDefinition
from domain.definitions.snippet import SnippetDefinition
from domain.definitions.transactional import SingleMessage, TransactionalDefinition
from domain.definitions.webhook import WebhookDefinition
from domain.errors import Problem
from domain.problems import from_validation_error

KINDS: Final[Mapping[str, type[Definition]]] = {
    kind.kind_name(): kind
    for kind in (
        SenderDefinition,
        LayoutDefinition,
        SegmentDefinition,
        CampaignDefinition,
        ProviderDefinition,
        SettingsDefinition,
        ObjectTypeDefinition,
        CollectionDefinition,
        FormDefinition,
        WebhookDefinition,
        BroadcastDefinition,
        TransactionalDefinition,
        DomainDefinition,
        SnippetDefinition,
    )
}
"""Every kind of this version by its word."""


def unknown_kind(pointer: str = "/kind") -> Problem:
    """The refusal of a kind that this version does not know."""
    message = f"Not a kind of this version; known are {', '.join(sorted(KINDS))}."
    return Problem(code="enum", pointer=pointer, message=message)


def kind_of(raw: Any) -> type[Definition] | None:
    """The kind a raw document says it is, if there is such a kind."""
    word = raw.get("kind") if isinstance(raw, dict) else None
    return KINDS.get(word) if isinstance(word, str) else None


def read_definition(raw: Any) -> tuple[Definition | None, list[Problem]]:
    """The document a wire value means, or everything wrong with its shape; pointers count from the document."""
    if not isinstance(raw, dict):
        return None, [Problem(code="type", message="A definition is an object.")]
    if "kind" not in raw:
        return None, [Problem(code="required", pointer="/kind", message="Say what kind of definition this is.")]
    kind = kind_of(raw)
    if kind is None:
        return None, [unknown_kind()]
    try:
        return kind.model_validate(raw), []
    except ValidationError as error:
        return None, from_validation_error(error, raw)


__all__ = [
    "KINDS",
    "AutomationDefinition",
    "BroadcastDefinition",
    "CampaignDefinition",
    "CollectionDefinition",
    "Definition",
    "DomainDefinition",
    "FormDefinition",
    "LayoutDefinition",
    "ObjectTypeDefinition",
    "ProviderDefinition",
    "SegmentDefinition",
    "SenderDefinition",
    "SettingsDefinition",
    "SingleMessage",
    "SnippetDefinition",
    "Surroundings",
    "Template",
    "TransactionalDefinition",
    "Use",
    "WebhookDefinition",
    "kind_of",
    "read_definition",
    "unknown_kind",
]
