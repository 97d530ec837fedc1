"""Filters over people: the vendor's small grammar, and everything else that a segment may ask (CHN-17, PPL-44)."""

from __future__ import annotations

from typing import Any

from domain.condition_rules import check_condition
from domain.conditions import Condition
from domain.documents import Refusal, refused
from domain.problems import split_pointer
from domain.trees import MAX_DEPTH, MAX_LEAVES, is_complex


def parse_people_filter(raw: Any) -> Condition:
    """The condition that a filter means; raises ValidationError with everything wrong in it."""
    if not isinstance(raw, dict) or len(raw) != 1:
        raise refused(Refusal("type", "A filter is an object with exactly one key.", (), None))
    condition = Condition.parse(raw)
    if is_complex(condition.root):
        raise refused(
            Refusal(
                "too_complex",
                f"A filter has at most {MAX_LEAVES} leaves, nested at most {MAX_DEPTH} levels deep.",
                (),
                None,
            )
        )
    problems = check_condition(condition, "segment", pointer="")
    if problems:
        raise refused(*(Refusal(problem.code, problem.message, _steps(problem.pointer)) for problem in problems))
    return condition


def _steps(pointer: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdecimal() else step for step in split_pointer(pointer))


__all__ = ["parse_people_filter"]
