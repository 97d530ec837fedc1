"""The vendor's small grammar for finding objects: and, or, not, `object_attribute` with `eq` or `exists` (APP-20)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from domain.documents import Refusal, refused
from domain.facts import Facts
from domain.operators import Operator, parse_comparison
from domain.trees import MAX_DEPTH, MAX_LEAVES, Location, Reader, is_complex
from domain.values import EPOCH
from domain.wheres import Where

ROOT: Final = "object_attribute"
OPERATORS: Final = ("eq", "exists")
_FIELDS: Final = frozenset({"field", "operator", "value", "type_id"})
_NOBODY: Final = Facts(attributes={}, age_start=EPOCH)


def parse_object_filter(raw: Any, object_type_id: int) -> Where:
    """The filter over objects of one type that a wire value means; raises ValidationError."""
    if not isinstance(raw, dict):
        raise refused(Refusal("type", "A filter is an object with exactly one key.", (), raw))
    where = Where(Reader(partial(_read_leaf, object_type_id), "filter").read(raw))
    if is_complex(where.root):
        raise refused(
            Refusal(
                "too_complex",
                f"A filter has at most {MAX_LEAVES} leaves, nested at most {MAX_DEPTH} levels deep.",
                (),
                None,
            )
        )
    return where


def fits(where: Where, record: Mapping[str, Any]) -> bool:
    """Whether an object fits a filter."""
    return where.decide(record, _NOBODY, 0)[0]


def _read_leaf(object_type_id: int, raw: Any) -> tuple[Location, Callable[[], Operator]]:
    if not isinstance(raw, dict) or set(raw) != {ROOT}:
        raise refused(Refusal("enum", f"A node has one key: and, or, not, {ROOT}.", (), raw))
    return (ROOT,), partial(_read_body, object_type_id, raw[ROOT])


def _read_body(object_type_id: int, body: Any) -> Operator:
    if not isinstance(body, dict):
        raise refused(Refusal("type", "Give an object with field, operator, type_id and value.", (), body))
    wrong = [Refusal("unknown_field", "There is no such field here.", (n,), n) for n in body if n not in _FIELDS]
    if body.get("operator") not in OPERATORS:
        wrong.append(Refusal("enum", "The operator is eq or exists.", ("operator",), body.get("operator")))
    elif body["operator"] == "eq" and not isinstance(body.get("value"), str | int | float):
        code = "type" if "value" in body else "required"
        wrong.append(Refusal(code, "Give a text, a number, true or false.", ("value",), body.get("value")))
    if str(body.get("type_id")) != str(object_type_id):
        message = f"Objects of the type {object_type_id} are asked for, so this is '{object_type_id}'."
        wrong.append(Refusal("enum", message, ("type_id",), body.get("type_id")))
    if wrong:
        raise refused(*wrong)
    names = ("field", "operator", "value") if body["operator"] == "eq" else ("field", "operator")
    return parse_comparison({name: body[name] for name in names if name in body})


__all__ = ["fits", "parse_object_filter"]
