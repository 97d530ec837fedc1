"""What may stand where: the roots, `since`, `or` and sizes that each place of a document allows (PPL-40, CMP-02, ACT-12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from domain.conditions import Condition, Where, evaluate_where
from domain.errors import Problem
from domain.facts import Ref
from domain.lookups import Lookup
from domain.operators import Operator
from domain.paths import Path
from domain.subjects import Attribute, Device, Message, Performed, RecordSubject, Segment, Subject
from domain.trees import MAX_DEPTH, MAX_LEAVES, AnyOf, Leaf, Node, Not, children, is_complex

ConditionPlace = Literal[
    "segment",
    "trigger",
    "filters",
    "audience",
    "block",
    "branch",
    "true_false",
    "wait",
    "recipients",
    "batch_match",
]
WherePlace = Literal["goal_where", "trigger_where", "object_where", "rows_where"]
Place = ConditionPlace | WherePlace
"""Where a condition stands: `branch` is a multi-split, `batch_match` whom a batch update is for; then the Wheres.

`object_where` is what a trigger asks of an object or relationship, `rows_where` what a query asks of a collection's rows.
"""

READABLE_INTERNAL = "_created_in_customerio_at"
_PERSON = frozenset(("attribute", "segment", "performed"))
_BELONGINGS = frozenset(("device", "related"))
_PASSED = frozenset(("journey", "cohort"))
_THING = frozenset(("object", "relationship"))
_ROOTS: dict[str, frozenset[str]] = {
    "segment": _PERSON | _BELONGINGS | {"message"},
    "trigger": frozenset(("attribute", "segment")),
    "filters": frozenset(("segment",)),
    "audience": frozenset(("attribute", "relationship")),
    "block": _PERSON | _BELONGINGS | _PASSED | {"message"},
    "branch": _PERSON | _BELONGINGS | _PASSED,
    "true_false": _PERSON | _BELONGINGS | _PASSED | {"message"},
    "wait": _PERSON | {"message"},
    "recipients": frozenset(("attribute", "segment", "message")),
    "batch_match": frozenset(("attribute", "related")),
}
_STEPS = frozenset(("block", "branch", "true_false"))
_IN_JOURNEYS = _STEPS | {"wait", "goal_where", "batch_match", "rows_where"}
_EVENT_TRIGGERS = ("event", "form")
_OBJECT_TRIGGERS = ("object", "relationship")
_TARGETED = frozenset(("eq", "in", "exists"))
"""The operators by which an object or a relationship triggers (CMP-07)."""


def allowed_roots(place: Place, trigger_type: str | None) -> frozenset[str]:
    """The leaf roots that may stand at a place of a campaign with this trigger; without a person there are few."""
    if trigger_type == "webhook" and place != "batch_match":
        return _PASSED | {"trigger"} if place in _STEPS else frozenset()
    roots = _ROOTS.get(place, frozenset())
    if place in _STEPS and trigger_type in _EVENT_TRIGGERS:
        roots |= {"event"}
    if place in _STEPS and trigger_type in (*_OBJECT_TRIGGERS, "broadcast"):
        roots |= {"trigger"}
    if trigger_type in _OBJECT_TRIGGERS and (place in _STEPS or place in ("wait", "filters")):
        roots |= _THING
    if place == "wait" and trigger_type in _OBJECT_TRIGGERS:
        roots |= {"related"}
    return roots


def allowed_lookups(place: Place, trigger_type: str | None) -> frozenset[str]:
    """The roots that `{"from": ...}` may name at a place: what stands there, and in journeys what Liquid reads there."""
    roots = {"customer"} if trigger_type != "webhook" and (place, trigger_type) != ("object_where", "object") else set()
    if place in _IN_JOURNEYS:
        roots |= {"journey"}
        if trigger_type in _EVENT_TRIGGERS:
            roots |= {"event"}
        elif trigger_type in ("webhook", *_OBJECT_TRIGGERS, "broadcast"):
            roots |= {"trigger"}
    if trigger_type in _OBJECT_TRIGGERS and (place in _IN_JOURNEYS or place == "filters"):
        roots |= _THING
    return frozenset(roots)


def check_condition(
    condition: Condition,
    place: Place,
    *,
    pointer: str,
    trigger_type: str | None = None,
    in_workflow: bool = False,
    segment_has_segments: Callable[[Ref], bool] | None = None,
) -> list[Problem]:
    """Everything about a condition that its place does not allow; `pointer` is where the condition stands.

    `segment_has_segments` answers, for a condition of a segment, whether a segment it names has segment leaves itself.
    """
    if is_complex(condition.root):
        return [_too_complex(pointer)]
    problems: list[Problem] = []
    for leaf in condition.leaves:
        at = pointer + leaf.pointer
        if leaf.body.root not in allowed_roots(place, trigger_type):
            allowed = ", ".join(sorted(allowed_roots(place, trigger_type))) or "nothing about a person"
            message = f"`{leaf.body.root}` cannot be tested here; possible here: {allowed}."
            problems.append(Problem(code="root_not_allowed", pointer=at, message=message))
            continue
        problems += _check_leaf(leaf.body, at, place, trigger_type, in_workflow=in_workflow)
        if place == "segment" and isinstance(leaf.body, Segment) and segment_has_segments is not None:
            problems += _check_nesting(leaf.body, at, segment_has_segments)
    if place == "true_false" and _has_or(condition.root):
        message = "A true/false branch joins its conditions with and; use a multi-split for or."
        problems.append(Problem(code="or_not_allowed", pointer=pointer, message=message))
    if place == "trigger" and not is_positive(condition):
        message = "A trigger needs one segment to be in or one attribute condition."
        problems.append(Problem(code="no_positive_condition", pointer=pointer, message=message))
    return problems


def check_where(where: Where, place: Place, *, pointer: str, trigger_type: str | None = None) -> list[Problem]:
    """Everything about a Where that its place does not allow."""
    if is_complex(where.root):
        return [_too_complex(pointer)]
    allowed = allowed_lookups(place, trigger_type)
    problems: list[Problem] = []
    for leaf in where.comparisons():
        problems += _check_lookups(leaf.body, pointer + leaf.pointer, allowed)
        if place == "object_where" and leaf.body.operator not in _TARGETED:
            message = "Objects and relationships trigger by eq, in and exists only; test more in filters and branches."
            at = f"{pointer}{leaf.pointer}/operator"
            problems.append(Problem(code="operator_not_allowed", pointer=at, message=message))
    return problems


def is_positive(condition: Condition) -> bool:
    """Whether there is an attribute leaf, or a segment to be in once negations are pushed down to the leaves (CMP-02)."""
    return any(
        isinstance(subject, Attribute) or (isinstance(subject, Segment) and subject.inverse != positive)
        for subject, positive in _signed(condition.root, positive=True)
    )


def _signed(node: Node[Subject], *, positive: bool) -> Iterator[tuple[Subject, bool]]:
    if isinstance(node, Leaf):
        yield node.body, positive
    for child in children(node):
        yield from _signed(child, positive=positive != isinstance(node, Not))


def _has_or(node: Node[Subject]) -> bool:
    return isinstance(node, AnyOf) or any(_has_or(child) for child in children(node))


def _too_complex(pointer: str) -> Problem:
    message = f"A condition has at most {MAX_LEAVES} leaves, nested at most {MAX_DEPTH} levels deep."
    return Problem(code="too_complex", pointer=pointer, message=message)


def _check_leaf(
    subject: Subject, at: str, place: Place, trigger_type: str | None, *, in_workflow: bool
) -> Iterable[Problem]:
    if isinstance(subject, RecordSubject):
        yield from _check_lookups(subject.comparison, at, allowed_lookups(place, trigger_type))
    if isinstance(subject, Attribute) and _is_internal(subject.comparison.path):
        message = f"Attributes starting with `_` cannot be tested, except `{READABLE_INTERNAL}`."
        yield Problem(code="internal_attribute", pointer=at + "/field", message=message)
    if isinstance(subject, Performed):
        if subject.since != "ever" and not in_workflow:
            message = "`since` has a meaning inside workflows only."
            yield Problem(code="since_not_allowed", pointer=at + "/since", message=message)
        elif subject.since == "wait_start" and place != "wait":
            message = "`wait_start` has a meaning in the paths of a wait only."
            yield Problem(code="since_not_allowed", pointer=at + "/since", message=message)
    if isinstance(subject, Message):
        yield from _check_message(subject, at, place, in_workflow=in_workflow)
    if isinstance(subject, Device) and place == "segment":
        yield from _check_device(subject, at)
    for field, where in subject.wheres():
        yield from check_where(where, place, pointer=at + field, trigger_type=trigger_type)


def _check_message(subject: Message, at: str, place: Place, *, in_workflow: bool) -> Iterable[Problem]:
    if subject.body.mode == "is" and place != "wait":
        message = "`is` means what happens after entering a wait, so it stands in the paths of a wait only."
        yield Problem(code="mode_not_allowed", pointer=at + "/mode", message=message)
    of = subject.body.of
    if of is not None and of.sender is None and not in_workflow:
        message = "Name the campaign of the block; only inside a workflow it is that workflow's."
        yield Problem(code="required", pointer=at + "/of/campaign", message=message)


def _check_device(subject: Device, at: str) -> Iterable[Problem]:
    for leaf in () if subject.where is None else subject.where.comparisons():
        if leaf.body.path.steps:
            message = "Only the device's own fields can be tested in a segment, nothing nested in them."
            yield Problem(code="not_applicable", pointer=f"{at}/where{leaf.pointer}/field", message=message)


def _check_nesting(segment: Segment, at: str, segment_has_segments: Callable[[Ref], bool]) -> Iterable[Problem]:
    if segment_has_segments(segment.ref):
        message = "The segment named here uses segments itself, and segments nest only once."
        yield Problem(code="nested_segment", pointer=at, message=message)


def _check_lookups(comparison: Operator, at: str, allowed: frozenset[str]) -> Iterable[Problem]:
    for lookup in comparison.lookups:
        if lookup.root not in allowed:
            message = f"`{lookup.root}` cannot be read here; possible here: {', '.join(sorted(allowed)) or 'nothing'}."
            yield Problem(code="root_not_allowed", pointer=_lookup_pointer(comparison, lookup, at), message=message)


def _lookup_pointer(comparison: Operator, lookup: Lookup, at: str) -> str:
    value = getattr(comparison, "value", None)
    if isinstance(value, tuple):
        return f"{at}/value/{[bound.lookup for bound in value].index(lookup)}"
    return f"{at}/value"


def _is_internal(path: Path) -> bool:
    """Whether the path, or the name it begins with however that is written, is one of the hidden names."""
    return any(name.startswith("_") and name != READABLE_INTERNAL for name in path.keys)


__all__ = [
    "ConditionPlace",
    "Place",
    "Where",
    "WherePlace",
    "allowed_lookups",
    "allowed_roots",
    "check_condition",
    "check_where",
    "evaluate_where",
    "is_positive",
]
