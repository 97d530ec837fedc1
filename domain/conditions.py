"""The one condition grammar: who is meant, decided from facts at an instant (PPL-30).

Segments, triggers, filters, block conditions, branches and waits all use it. Verdicts change by the clock at whole seconds
only: `now` is rounded down for windows and timestamps, so a verdict is constant from `now` until `flips_at`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from domain.condition_keys import EventMatch, Keys
from domain.documents import Refusal, refused
from domain.facts import Facts, Ref
from domain.operators import Decision, Operator
from domain.subjects import SUBJECTS, Moment, Segment, Subject
from domain.subjects.base import Named
from domain.trees import Decide, Leaf, Location, Node, Reader, compile_tree, decide_tree, dump_tree, leaves
from domain.values import from_unix, to_unix
from domain.wheres import Where

_LAST_FLIP = to_unix(datetime.max.replace(tzinfo=UTC))


def _read_leaf(raw: Any) -> tuple[Location, Callable[[], Subject]]:
    if not isinstance(raw, dict) or not raw:
        message = 'A node is an object with exactly one key, like {"attribute": {"field": "plan", "value": "pro"}}.'
        raise refused(Refusal("type", message, (), raw))
    known = [root for root in raw if root in SUBJECTS]
    if len(known) > 1:
        raise refused(Refusal("type", "A node has exactly one key; join several nodes with and/or.", (), raw))
    words = ", ".join(("and", "or", "not", *SUBJECTS))
    strange = [root for root in raw if root not in SUBJECTS]
    if strange:
        code = "unknown_field" if known else "enum"
        raise refused(*(Refusal(code, f"The key of a node is one of {words}.", (str(s),), s) for s in strange))
    root, body = next(iter(raw.items()))
    return (root,), partial(SUBJECTS[root].parse, body)


@dataclass(frozen=True)
class Condition:
    """A condition on a person, usable as a pydantic field type: reads every wire form, writes the canonical one."""

    root: Node[Subject]

    @classmethod
    def parse(cls, raw: Any) -> Self:
        """The condition that a wire value means; raises ValidationError with every error in it."""
        return raw if isinstance(raw, cls) else cls(Reader(_read_leaf, "condition").read(raw))

    def dump(self) -> Any:
        """The canonical wire form: a list becomes `and`, operators are filled in, defaults stay out."""
        return dump_tree(self.root, lambda subject: {subject.root: subject.dump()})

    @cached_property
    def leaves(self) -> tuple[Leaf[Subject], ...]:
        """Every leaf with the JSON Pointer at which it was written, in document order."""
        return tuple(leaves(self.root))

    @cached_property
    def keys(self) -> Keys:
        """What the condition looks at."""
        keys = Keys()
        for leaf in self.leaves:
            keys |= leaf.body.keys()
        return keys

    @cached_property
    def decider(self) -> Decide:
        """The condition made ready to be decided on facts at a moment, again and again."""
        return compile_tree(self.root, _decider)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(cls.dump)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        words = ("and", "or", "not", *SUBJECTS)
        node = {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"enum": list(words)}}
        return {"title": "Condition", "oneOf": [node, {"type": "array", "minItems": 1, "items": node}]}


@dataclass(frozen=True, slots=True)
class LeafReport:
    """What one leaf answered and saw; before `flips_at` the clock alone cannot change that."""

    pointer: str
    result: bool
    actual: Any
    note: str
    flips_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds and why; before `flips_at` it cannot change without new data (None: never by the clock)."""

    matched: bool
    reason: str
    flips_at: datetime | None
    leaves: tuple[LeafReport, ...] = ()


def parse_condition(raw: Any) -> Condition:
    """The condition that a wire value means; raises pydantic's ValidationError."""
    return Condition.parse(raw)


def evaluate(condition: Condition, facts: Facts, now: datetime, *, explain: bool = False) -> Verdict:
    """The verdict on one person's facts; a leaf that fails counts as not met (ACT-03), so this never raises."""
    moment = Moment.of(now)
    failed: dict[int, str] = {}

    def decide(subject: Subject) -> Decision:
        try:
            return subject.decide(facts, moment)
        except Exception as error:  # noqa: BLE001 - whatever stored data does to a leaf, it is not met
            failed[id(subject)] = f" could not be evaluated ({type(error).__name__})"
            return False, None

    matched, flip, leaf = decide_tree(condition.root, decide)
    return Verdict(
        matched,
        _reason(leaf, matched=matched) + failed.get(id(leaf.body), ""),
        _instant(flip),
        tuple(_report(leaf, facts, moment) for leaf in condition.leaves) if explain else (),
    )


def decide(condition: Condition, facts: Facts, now: datetime) -> tuple[bool, datetime | None]:
    """`matched` and `flips_at` of the verdict that `evaluate` gives, for those who do not ask why."""
    return decide_at(condition, facts, Moment.of(now))


def decide_at(condition: Condition, facts: Facts, moment: Moment) -> tuple[bool, datetime | None]:
    """`decide`, for those who ask many conditions at one moment."""
    matched, flip = condition.decider(facts, moment)
    return matched, None if flip is None else _instant(flip)


def reason_of(condition: Condition, facts: Facts, now: datetime, *, matched: bool) -> str:
    """The reason that `evaluate` gives, for those who know the answer."""
    root = condition.root
    return _reason(root, matched=matched) if isinstance(root, Leaf) else evaluate(condition, facts, now).reason


def _reason(leaf: Leaf[Subject], *, matched: bool) -> str:
    return f"{'met' if matched else 'not met'}: {leaf.body.words}"


def _decider(subject: Subject) -> Decide:
    ask = subject.prepared()

    def decide(facts: Facts, moment: Moment) -> Decision:
        try:
            return ask(facts, moment)
        except Exception:  # noqa: BLE001 - whatever stored data does to a leaf, it is not met
            return False, None

    return decide


def _report(leaf: Leaf[Subject], facts: Facts, moment: Moment) -> LeafReport:
    try:
        result, flip = leaf.body.decide(facts, moment)
        actual, note = leaf.body.look(facts, moment)
    except Exception as error:  # noqa: BLE001 - the explanation says what went wrong
        return LeafReport(
            leaf.pointer, False, None, f"could not be evaluated ({type(error).__name__}), so it is not met"
        )
    return LeafReport(leaf.pointer, result, actual, note, _instant(flip))


def where_fits(where: Where, record: Mapping[str, Any], facts: Facts, moment: Moment) -> bool:
    """Whether `evaluate_where` says that the record matches."""
    root = where.root
    if not isinstance(root, Leaf):
        return evaluate_where(where, record, facts, moment.now).matched
    try:
        return root.body.decide(record, facts, moment.unix)[0]
    except Exception:  # noqa: BLE001 - as for conditions
        return False


def evaluate_where(where: Where, record: Mapping[str, Any], facts: Facts, now: datetime) -> Verdict:
    """The verdict on one record; operands are looked up in `facts`. Never raises, a failing comparison is not met."""
    unix = to_unix(now)

    def decide(test: Operator) -> Decision:
        try:
            return test.decide(record, facts, unix)
        except Exception:  # noqa: BLE001 - as for conditions
            return False, None

    matched, flip, leaf = decide_tree(where.root, decide)
    return Verdict(matched, f"{'met' if matched else 'not met'}: {leaf.body.words}", _instant(flip))


def keys_of(condition: Condition) -> Keys:
    """What a condition looks at."""
    return condition.keys


def references(condition: Condition) -> list[Named]:
    """The definitions a condition names, each with the JSON Pointer of where it does so below the condition."""
    return [named._replace(at=leaf.pointer + named.at) for leaf in condition.leaves for named in leaf.body.references()]


def segment_refs(condition: Condition) -> list[tuple[str, Ref]]:
    """The segments a condition names, each with the JSON Pointer of its leaf below the condition."""
    return [(leaf.pointer, leaf.body.ref) for leaf in condition.leaves if isinstance(leaf.body, Segment)]


def _instant(flip: int | None) -> datetime | None:
    return None if flip is None or flip > _LAST_FLIP else from_unix(flip)


__all__ = [
    "Condition",
    "EventMatch",
    "Keys",
    "LeafReport",
    "Named",
    "Verdict",
    "Where",
    "decide",
    "decide_at",
    "evaluate",
    "evaluate_where",
    "keys_of",
    "parse_condition",
    "reason_of",
    "references",
    "segment_refs",
    "where_fits",
]
