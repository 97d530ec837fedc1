"""The vendor's small grammar for finding people: and, or, not, `segment`, `attribute` with `eq` or `exists` (CHN-17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from domain.conditions import Condition
from domain.documents import Refusal, refused
from domain.subjects import Segment
from domain.trees import All, Leaf, Node, is_complex

OPERATORS: Final = ("eq", "exists")
_FIELDS: Final = frozenset({"field", "operator", "value"})
_LEVELS: Final = 64


def parse_people_filter(raw: Any) -> Condition:
    """The condition that a filter means, in our own grammar; raises ValidationError."""
    problems = list(_faults(raw, ()))
    if problems:
        raise refused(*problems)
    condition = Condition.parse(raw)
    if is_complex(condition.root):
        raise refused(Refusal("too_complex", "The filter is too deep or has too many leaves.", (), None))
    return condition


def _faults(raw: Any, at: tuple[str | int, ...]) -> Iterator[Refusal]:
    """What of a node the small grammar does not know; what both know, the large one checks."""
    if not isinstance(raw, dict) or len(raw) != 1 or len(at) > _LEVELS:
        yield Refusal("type", "A filter is an object with exactly one key.", at, None)
        return
    word, body = next(iter(raw.items()))
    match word:
        case "and" | "or":
            for place, node in enumerate(body if isinstance(body, list) else [body]):
                yield from _faults(node, (*at, word, place))
        case "not":
            yield from _faults(body, (*at, word))
        case "segment":
            if not isinstance(body, dict) or set(body) != {"id"}:
                yield Refusal("type", "Name the segment by its `id`.", (*at, word), None)
        case "attribute":
            yield from _attribute_faults(body, (*at, word))
        case _:
            message = "The key of a node is one of and, or, not, segment, attribute."
            yield Refusal("enum", message, (*at, str(word)), None)


def _attribute_faults(body: Any, at: tuple[str | int, ...]) -> Iterator[Refusal]:
    if not isinstance(body, dict) or not isinstance(body.get("field"), str):
        yield Refusal("type", "Name the attribute in `field`.", at, None)
        return
    for name in set(body) - _FIELDS:
        yield Refusal("unknown_field", "There is no such field here.", (*at, str(name)), None)
    operator = body.get("operator")
    if operator not in OPERATORS:
        yield Refusal("enum", "The operator is `eq` or `exists`.", (*at, "operator"), operator)
    elif operator == "eq" and "value" not in body:
        yield Refusal("required", "Say which value.", (*at, "value"), None)
    elif operator == "eq" and isinstance(body["value"], dict):
        yield Refusal("type", "The value is a text, a number or a boolean.", (*at, "value"), None)
    elif operator == "exists" and "value" in body:
        yield Refusal("not_applicable", "`exists` takes no value.", (*at, "value"), None)


def narrowing_segment(condition: Condition) -> int | None:
    """A segment that everybody who matches is in, where the condition says so on its face."""
    for node in _joined(condition.root):
        if isinstance(node, Leaf) and isinstance(node.body, Segment) and not node.body.inverse:
            return node.body.ref if isinstance(node.body.ref, int) else None
    return None


def _joined(node: Node[Any]) -> Iterator[Node[Any]]:
    """The nodes all of which have to hold."""
    if isinstance(node, All):
        for child in node.nodes:
            yield from _joined(child)
    else:
        yield node


__all__ = ["OPERATORS", "narrowing_segment", "parse_people_filter"]
