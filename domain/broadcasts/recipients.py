"""The vendor's small grammar of recipients: segments and attributes, joined by and, or and not (CHN-17)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from domain.conditions import Condition
from domain.people_filters import parse_people_filter
from domain.problems import from_validation_error, pointer_of
from domain.trees import MAX_DEPTH

OPERATORS: Final = ("eq", "exists")
_LEVELS = 2 * MAX_DEPTH
Way = tuple[str | int, ...]


class Recipients(NamedTuple):
    """A filter that was understood: as it is kept, and the condition that it means."""

    filter: dict[str, Any]
    condition: Condition


class NotAFilter(ValueError):
    """Says where a filter is none and why."""

    def __init__(self, way: Way, why: str) -> None:
        super().__init__(f"{why} ({pointer_of(way)})" if way else why)


def read_recipients(raw: Any) -> Recipients:
    """The filter that a call gives as `recipients`; raises NotAFilter."""
    read = _node(raw, ())
    try:
        return Recipients(read, parse_people_filter(read))
    except ValidationError as error:
        first = from_validation_error(error, read)[0]
        raise NotAFilter(tuple(first.pointer.split("/")[1:]), first.message) from None


def _node(raw: Any, way: Way) -> dict[str, Any]:
    if len(way) > _LEVELS:
        raise NotAFilter((), f"At most {MAX_DEPTH} levels may be nested.")
    if not isinstance(raw, dict) or len(raw) != 1:
        raise NotAFilter(way, "A node is an object with exactly one key.")
    word, body = next(iter(raw.items()))
    here = (*way, word)
    if word in ("and", "or"):
        if not isinstance(body, list) or not body:
            raise NotAFilter(here, "Give a list of at least one node.")
        return {word: [_node(item, (*here, number)) for number, item in enumerate(body)]}
    if word == "not":
        return {word: _node(body, here)}
    if word == "segment":
        return {word: _segment(body, here)}
    if word == "attribute":
        return {word: _attribute(body, here)}
    raise NotAFilter(here, "The key of a node is and, or, not, segment or attribute.")


def _segment(body: Any, way: Way) -> dict[str, Any]:
    if not isinstance(body, dict) or set(body) != {"id"} or type(body["id"]) is not int:
        raise NotAFilter(way, 'Name the segment by its number: {"id": 3}.')
    return {"id": body["id"]}


def _attribute(body: Any, way: Way) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise NotAFilter(way, 'Write {"field": "plan", "operator": "eq", "value": "pro"}.')
    strange = sorted(set(body) - {"field", "operator", "value"})
    if strange:
        raise NotAFilter((*way, strange[0]), "An attribute has a field, an operator and a value.")
    field, operator = body.get("field"), body.get("operator")
    if not isinstance(field, str) or not field:
        raise NotAFilter((*way, "field"), "Name the attribute.")
    if operator not in OPERATORS:
        raise NotAFilter((*way, "operator"), "The operators are eq and exists; turn them around with not.")
    if operator == "exists":
        # Clients that send the same three fields for either operator mean nothing by this value.
        return {"field": field, "operator": operator}
    return {"field": field, "operator": operator, "value": _value(body, way)}


def _value(body: Mapping[str, Any], way: Way) -> Any:
    value = body.get("value")
    if not isinstance(value, str | int | float):
        raise NotAFilter((*way, "value"), "Give the text, number, true or false that the attribute has to equal.")
    return value


__all__ = ["NotAFilter", "Recipients", "read_recipients"]
