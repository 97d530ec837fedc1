"""`attribute`: the person's profile attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from domain.condition_keys import Keys
from domain.facts import Facts
from domain.operators import Decision
from domain.subjects.base import Moment, RecordSubject

MOST_ANSWERS = 512
LONGEST_TEXT = 64
"""Of how many values it is remembered what they answer, and of how long ones."""
_PLAIN = frozenset({bool, float, int})


@dataclass(frozen=True)
class Attribute(RecordSubject):
    """A comparison on a profile attribute (PPL-31)."""

    root: ClassVar[str] = "attribute"

    def record(self, facts: Facts) -> Mapping[str, Any]:
        """The profile."""
        return facts.attributes

    def prepared(self) -> Callable[[Facts, Moment], Decision]:
        """Where nothing but a value decides, and people share values, what each answers is found out once."""
        comparison = self.comparison
        if comparison.path.steps or comparison.lookups or comparison.clock:
            return self.decide
        field, decide = comparison.field, self.decide
        answers: dict[tuple[type, Any], Decision] = {}

        def remembering(facts: Facts, moment: Moment) -> Decision:
            value: Any = facts.attributes.get(field)
            kind = type(value)
            if kind not in _PLAIN and (kind is not str or len(value) > LONGEST_TEXT):
                return decide(facts, moment)
            # The type belongs to it: 1, 1.0 and true are one key, but not one value.
            answer = answers.get((kind, value))
            if answer is None:
                if len(answers) >= MOST_ANSWERS:
                    answers.clear()
                answer = answers[kind, value] = decide(facts, moment)
            return answer

        return remembering

    def keys(self) -> Keys:
        """The attribute, and those that operands are looked up in."""
        return Keys(attributes=self.comparison.path.keys) | super().keys()
