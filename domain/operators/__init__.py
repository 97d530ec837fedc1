"""The operators of comparisons. Adding one is one file and one line in `AnyOperator`."""

from __future__ import annotations

from typing import Any, get_args

from domain.documents import Refusal, refused
from domain.operators.after import After
from domain.operators.base import Decision, Operator, earliest
from domain.operators.before import Before
from domain.operators.between import Between
from domain.operators.contains import Contains
from domain.operators.eq import Eq
from domain.operators.exists import Exists
from domain.operators.gt import Gt
from domain.operators.gte import Gte
from domain.operators.is_timestamp import IsTimestamp
from domain.operators.lt import Lt
from domain.operators.lte import Lte
from domain.operators.one_of import OneOf

AnyOperator = (
    Exists
    | Eq
    | OneOf
    | Contains
    | Gt
    | Gte
    | Lt
    | Lte
    | IsTimestamp
    | Before
    | After
    | Between
)  # fmt: skip
"""Every comparison there is."""

OPERATORS: dict[str, type[Operator]] = {kind.model_fields["operator"].default: kind for kind in get_args(AnyOperator)}
"""Operator word to comparison."""


def parse_comparison(raw: Any) -> Operator:
    """The comparison a wire value means; without `operator` it is `eq` with a value and `exists` without.

    Raises ValidationError with one error per wrong part.
    """
    if isinstance(raw, Operator):
        return raw
    if not isinstance(raw, dict):
        raise refused(Refusal("type", 'A comparison is an object like {"field": "plan", "value": "pro"}.', (), raw))
    word = raw.get("operator", "eq" if "value" in raw else "exists")
    kind = OPERATORS.get(word) if isinstance(word, str) else None
    if kind is None:
        raise refused(Refusal("enum", f"The operator is one of {', '.join(OPERATORS)}.", ("operator",), word))
    return kind.model_validate(raw)


__all__ = [
    "OPERATORS",
    "AnyOperator",
    "Decision",
    "Operator",
    "earliest",
    "parse_comparison",
]
