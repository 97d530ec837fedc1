"""Who refers to a definition: what holds it in place, in one list, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.definitions import KINDS, DomainDefinition, ProviderDefinition, unknown_kind
from domain.definitions.library import Entry, Library
from domain.errors import DomainError, InvalidInput, NotFound, Referent
from services import definition_checks as checks
from services import layout_uses, snippet_uses
from services.sender_checks import senders_within
from store import definitions as store
from store.database import Database


async def used_by(db: Database, workspace_id: int, kind: str, ref: str | int) -> dict[str, Any]:
    """What refers to a definition and would refuse its deletion; raises NotFound."""
    if kind not in KINDS:
        raise InvalidInput([unknown_kind()])
    async with db.connection() as conn:
        library = checks.library_of(await store.load_all(conn, workspace_id))
    entry = library.find(kind, ref)
    if entry is None:
        raise NotFound(kind, ref)
    return {"used_by": [referent.model_dump() for referent in referents(library, entry)]}


def referents(library: Library, entry: Entry) -> list[Referent]:
    """Every reference to a document that is in the library, or was taken out of it: by key, id or name, or by default."""
    found = library.referents(entry.kind, entry.key)
    if isinstance(entry.definition, DomainDefinition):
        found += senders_within(library, entry.definition)
    elif entry.kind == snippet_uses.KIND:
        found += snippet_uses.referents(library, entry.key)
    elif entry.kind == layout_uses.KIND:
        found += layout_uses.referents(library, entry.key)
    found += _other_providers(library, entry)
    return list(dict.fromkeys(found))


def refuse_if_used(library: Library, entry: Entry, pointer: str = "") -> None:
    """Raise DomainError `in_use`, naming them, where something refers to a document."""
    found = referents(library, entry)
    if found and _other_providers(library, entry):
        message = f"The provider '{entry.key}' serves 'all': let another do so first."
        raise DomainError("in_use", message, pointer, tuple(found))
    checks.refuse_referents(entry.kind, entry.key, found, pointer)


def _other_providers(library: Library, entry: Entry) -> Sequence[Referent]:
    """The email providers that need this one, because they leave to it what none is named for."""
    provider = entry.definition
    if not isinstance(provider, ProviderDefinition) or not provider.serves("all"):
        return ()
    rest = [
        other
        for other in library.others("provider", entry.key)
        if isinstance(other, ProviderDefinition) and other.enabled and other.channel == provider.channel
    ]
    if any(other.serves("all") for other in rest):
        return ()
    return [Referent(kind=other.kind, key=other.key, pointer="/use_for") for other in rest]


__all__ = ["referents", "refuse_if_used", "used_by"]
