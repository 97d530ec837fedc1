"""What became of an accepted fact: one word, and a sentence where there is more to say (API-40)."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Outcome = Literal["applied", "duplicate", "suppressed", "ignored", "failed", "erased"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""`ignored`: nothing to do or nobody there; `failed`: refused, the note says why; `erased`: of a person since removed."""


class Done(NamedTuple):
    """The outcome of one fact, and the one person it was about; None for nobody or several."""

    outcome: Outcome = "applied"
    person_id: int | None = None
    note: str | None = None


__all__ = ["OUTCOMES", "Done", "Outcome"]
