"""Who can come to match a condition at all, told so simply that a database finds them (PPL-41).

A hint holds for everybody who matches now or who comes to match by the clock alone. It says nothing of the others: who fits
a hint is looked at, who does not need not be. A leaf without a hint makes builds slow, never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from domain.conditions import Condition
from domain.facts import EventType, Ref
from domain.operators.base import Operator
from domain.operators.eq import Eq
from domain.operators.equality import Sought
from domain.operators.one_of import OneOf
from domain.subjects import Attribute, Device, Message, Performed, Related, Segment, Subject
from domain.subjects.counting import Counting
from domain.trees import All, AnyOf, Leaf, Node, Not

PROFILE: Final = frozenset({"id", "email", "cio_id", "_created_in_customerio_at"})
"""What conditions read like attributes, but is kept elsewhere."""
MOST_EXACT: Final = 2**53
"""Below this, numbers that are equal to conditions lie less than one apart however they are written."""


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold."""

    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of these holds."""

    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """One of these attributes is there, whatever its value."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equal:
    """An attribute, a single value, is one of these texts without regard to case, or lies close to one of these numbers."""

    field: str
    texts: tuple[str, ...]
    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Did:
    """At least so many events of the type and of one of these names (None: any), during the latest `within` seconds."""

    type: EventType
    names: tuple[str, ...] | None
    least: int
    within: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody is in the segment."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Owns:
    """Somebody has a device, is related to an object, or was sent a message, whichever."""

    kind: Literal["device", "related", "message"]


Hint = Every | Either | Present | Equal | Did | Member | Owns


def narrowing(condition: Condition) -> Hint | None:
    """What holds for everybody who matches the condition now or will by the clock alone; None where nothing is known."""
    return _of_node(condition.root, wanted=True)


def _of_node(node: Node[Subject], *, wanted: bool) -> Hint | None:
    """What holds for everybody of whom the node is, or comes to be, as wanted."""
    if isinstance(node, Leaf):
        return _of_leaf(node.body, wanted=wanted)
    if isinstance(node, Not):
        return _of_node(node.node, wanted=not wanted)
    hints = [_of_node(child, wanted=wanted) for child in node.nodes]
    return _every(hints) if isinstance(node, All if wanted else AnyOf) else _either(hints)


def _every(hints: Iterable[Hint | None]) -> Hint | None:
    known = tuple(hint for hint in hints if hint is not None)
    return None if not known else known[0] if len(known) == 1 else Every(known)


def _either(hints: Iterable[Hint | None]) -> Hint | None:
    known: list[Hint] = []
    for hint in hints:
        if hint is None:
            return None
        known.append(hint)
    return known[0] if len(known) == 1 else Either(tuple(known))


def _of_leaf(subject: Subject, *, wanted: bool) -> Hint | None:
    if isinstance(subject, Attribute):
        return _of_attribute(subject.comparison, wanted=wanted)
    if isinstance(subject, Performed):
        return _of_performed(subject, wanted=wanted)
    if isinstance(subject, Segment):
        return Member(subject.ref) if subject.inverse != wanted else None
    return _of_records(subject, wanted=wanted)


def _of_attribute(comparison: Operator, *, wanted: bool) -> Hint | None:
    path = comparison.path
    if comparison.inverse == wanted or not path.keys.isdisjoint(PROFILE):
        return None
    if not wanted and comparison.lookups:
        # A leaf that fails is not met, whatever is there; and that is what is wanted of it.
        return None
    if wanted and not path.steps and not comparison.lookups:
        equal = _equal(comparison.field, [Sought.of(operand) for operand in _operands(comparison)])
        if equal is not None:
            return equal
    return Present(tuple(sorted(path.keys)))


def _operands(comparison: Operator) -> Sequence[Any]:
    """What a value may be equal to, where equality is what is asked."""
    if isinstance(comparison, OneOf):
        return comparison.value
    return [comparison.value] if isinstance(comparison, Eq) else ()


def _equal(field: str, sought: list[Sought]) -> Equal | None:
    """The values that are equal to one of these; None where the text of a stored value may differ from what SQL sees."""
    if not sought or any(_is_strange(one) for one in sought):
        return None
    numbers = sorted({one.number for one in sought if one.number is not None})
    return Equal(field, tuple(sorted({one.text for one in sought})), tuple(numbers))


def _is_strange(sought: Sought) -> bool:
    """Whether something else than a text may have this text: a list, an object, a number written in another way."""
    if sought.number is not None:
        return abs(sought.number) >= MOST_EXACT
    if sought.text.startswith(("[", "{")):
        return True
    try:
        float(sought.text)
    except ValueError:
        return False
    return True


def _of_records(subject: Subject, *, wanted: bool) -> Hint | None:
    """Who has nothing of a kind has nothing that fits either."""
    if isinstance(subject, Device):
        return Owns("device") if subject.inverse != wanted else None
    if isinstance(subject, Related):
        return Owns("related") if subject.inverse != wanted else None
    if isinstance(subject, Message):
        return Owns("message") if _fewest(subject.counting, wanted=wanted) > 0 else None
    return None


def _fewest(counting: Counting, *, wanted: bool) -> int:
    """The fewest that must have happened for the test to be as wanted."""
    if not wanted and counting.needs_age:
        # Who has not been known for long enough is among those who do not match, whatever they did.
        return 0
    times, negative = counting.times, counting.inverse == wanted
    return next(count for count in (0, 1, times.count, times.count + 1) if times.allows(count) != negative)


def _of_performed(subject: Performed, *, wanted: bool) -> Hint | None:
    body, least = subject.body, _fewest(subject.counting, wanted=wanted)
    if least == 0:
        return None
    if not wanted and body.where is not None:
        # A leaf that fails is not met, which is wanted here; one event is enough for that.
        least = 1
    names = subject.match.exact_names()
    within = None if body.within is None else body.within.seconds
    return Did(subject.match.type, None if names is None else tuple(names), least, within)


__all__ = ["PROFILE", "Did", "Either", "Equal", "Every", "Hint", "Member", "Owns", "Present", "narrowing"]
