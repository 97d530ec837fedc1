"""Alias: two people become one, or an anonymous id becomes somebody's (API-24)."""

from __future__ import annotations

from domain.operations import AnyOperation, MergePeople
from domain.pipelines.envelope import Message, need_somebody, person_of, required_id
from domain.pipelines.findings import Findings
from domain.pipelines.terms import Terms


def operations(message: Message, terms: Terms, findings: Findings) -> list[AnyOperation]:
    """The merge: `userId` stays, `previousId` goes."""
    previous = required_id(message.body.get("previousId"), "previousId", findings)
    if not need_somebody(message, findings) or previous is None:
        return []
    if message.user_id is None:
        findings.note("nobody_kept", "userId", "an alias call without a userId has no effect")
        return []
    primary, secondary = person_of(message.user_id, terms), person_of(previous, terms)
    return [MergePeople(primary=primary, secondary=secondary, bind_unknown=True)]


__all__ = ["operations"]
