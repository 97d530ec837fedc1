"""Hints of conditions as SQL: a WHERE that finds everybody who may match, and others (PPL-41)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain.narrowing import Did, Either, Equal, Every, Hint, Member, Owns, Present

SLACK: Final = timedelta(hours=1)
"""How much farther back than a window events are looked for: clocks of processes differ, and windows end at whole seconds."""
LONGEST_NUMBER: Final = 700
"""More than the digits of any text that is a number to conditions; texts of very many the database refuses to read."""
LONGEST_WINDOW: Final = 86_400 * 365 * 100
_TABLES: Final = {"device": "devices", "related": "relationships", "message": "deliveries"}


@dataclass(slots=True)
class Narrowed:
    """A WHERE over `people p` with its parameters; `within` are the placeholders between which internal numbers lie.

    The range stands in every subquery too, so that whatever plan is chosen reads no more of other tables than it must.
    """

    now: datetime
    segment_ids: Mapping[str, int]
    within: tuple[str, str]
    parameters: list[Any] = field(default_factory=list)

    def where(self, hint: Hint | None) -> str:
        """The condition that the hint stands for."""
        if isinstance(hint, Every | Either):
            return f"({(' AND ' if isinstance(hint, Every) else ' OR ').join(map(self.where, hint.hints))})"
        if isinstance(hint, Present):
            return f"p.attributes ?| {self._given(list(hint.names))}::text[]"
        if isinstance(hint, Equal):
            return self._equal(hint)
        return "true" if hint is None else f"({self._past(hint)})"

    def _past(self, hint: Did | Member | Owns) -> str:
        """What must be in another table."""
        if isinstance(hint, Did):
            return self._did(hint)
        if isinstance(hint, Owns):
            return f"EXISTS ({self._rows(_TABLES[hint.kind])})"
        number = self.segment_ids.get(hint.ref, 0) if isinstance(hint.ref, str) else hint.ref
        rows = f"{self._rows('memberships')} AND r.kind = 'segment' AND r.member"
        return f"EXISTS ({rows} AND r.ref_id = {self._given(number)}::int)"

    def _given(self, value: Any) -> str:
        self.parameters.append(value)
        return f"${len(self.parameters)}"

    def _rows(self, table: str) -> str:
        after, until = self.within
        return (
            f"SELECT 1 FROM {table} r WHERE r.workspace_id = p.workspace_id AND r.person_id = p.person_id "
            f"AND r.person_id > {after} AND r.person_id <= {until}"
        )

    def _equal(self, hint: Equal) -> str:
        """Equal texts; whatever is not ASCII, whose case only Python knows; and numbers, also those kept as texts."""
        name = f"{self._given(hint.field)}::text"
        value = f"(p.attributes ->> {name})"
        texts = self._given(list(hint.texts))
        arms = [
            f'lower({value} COLLATE "C") = ANY ({texts}::text[])',
            f"octet_length({value}) <> char_length({value})",
        ]
        if hint.numbers:
            numbers = self._given([str(number) for number in hint.numbers])
            arms.append(
                f"""CASE WHEN {value} ~ '^-?[0-9]+([.][0-9]+)?$' AND octet_length({value}) <= {LONGEST_NUMBER}
                    THEN EXISTS (SELECT 1 FROM unnest({numbers}::text[]) AS n WHERE abs({value}::numeric - n::numeric) < 1)
                    ELSE jsonb_typeof(p.attributes -> {name}) = 'number' END"""
            )
        return f"({' OR '.join(arms)})"

    def _did(self, hint: Did) -> str:
        rows = f"{self._rows('events')} AND r.type = {self._given(hint.type)}::text"
        if hint.names is not None:
            rows += f" AND r.name_key = ANY ({self._given(list(hint.names))}::text[])"
        if hint.within is not None and hint.within <= LONGEST_WINDOW:
            since = self.now - timedelta(seconds=hint.within) - SLACK
            rows += f" AND r.at > {self._given(since)}::timestamptz"
        if hint.least == 1:
            return f"EXISTS ({rows})"
        least = f"{self._given(hint.least)}::bigint"
        return f"(SELECT count(*) FROM ({rows} LIMIT {least}) AS those) >= {least}"


__all__ = ["Narrowed"]
