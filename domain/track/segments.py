"""Calls that put people into a manual segment or take them out (API-11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.emails import bare_address
from domain.operations import Identifier, IdentifierKind, SegmentMember
from domain.track.calls import Call, CallRefused, Fault, Rules
from domain.track.identifiers import CIO_PREFIX
from domain.track.limits import ID_BYTES, SEGMENT_IDS, size

KINDS: Final[Mapping[str, IdentifierKind]] = {"id": "id", "email": "email", "cio_id": "cio_id"}


def kind_of(id_type: str, rules: Rules) -> IdentifierKind:
    """What the ids of a call are; raises CallRefused."""
    kind = KINDS.get(id_type)
    if kind is None:
        raise CallRefused([Fault("invalid", "id_type", "id_type must be id, email or cio_id")])
    if kind == "email" and not rules.email_identifies:
        raise CallRefused([Fault("invalid", "id_type", "email is not an identifier in this workspace")])
    return kind


def change_members(segment_id: int, body: Any, kind: IdentifierKind, *, member: bool) -> Call:
    """The operations of `add_customers` and `remove_customers`; ids that are none of the kind are left out (API-11)."""
    ids = body.get("ids") if isinstance(body, Mapping) else None
    if ids is None:
        raise CallRefused([Fault("required", "ids", "ids must be present")])
    if not isinstance(ids, list):
        raise CallRefused([Fault("invalid", "ids", "ids must be an array")])
    if not ids:
        raise CallRefused([Fault("required", "ids", "ids cannot be empty")])
    if len(ids) > SEGMENT_IDS:
        raise CallRefused([Fault("too_long", "ids", f"ids cannot hold more than {SEGMENT_IDS} entries")])
    found = [who for item in ids if (who := _identifier(item, kind)) is not None]
    operations = tuple(SegmentMember(subject=who, segment_id=segment_id, member=member) for who in found)
    left_out = len(ids) - len(found)
    return Call(operations, (f"{left_out} entries that are no {kind}",) if left_out else ())


def _identifier(item: Any, kind: IdentifierKind) -> Identifier | None:
    if isinstance(item, int) and not isinstance(item, bool):
        item = str(item)
    if not isinstance(item, str) or not item.strip() or size(item) > ID_BYTES:
        return None
    if kind == "email":
        return Identifier(kind="email", value=item.strip()) if bare_address(item) is not None else None
    if kind == "cio_id":
        reference = item.strip().removeprefix(CIO_PREFIX)
        return Identifier(kind="cio_id", value=reference) if reference.isalnum() else None
    return Identifier(kind="id", value=item)


__all__ = ["change_members", "kind_of"]
