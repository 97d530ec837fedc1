"""What reading a Track call gives: operations in order, or a refusal that says everything wrong (API-15, API-30)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from domain.errors import DomainError
from domain.operations import AnyOperation

Reason = Literal["required", "invalid", "too_long", "unknown_action"]


class Fault(NamedTuple):
    """One thing wrong with a call: why, in which field, and the sentence callers know."""

    reason: Reason
    field: str
    message: str


class CallRefused(DomainError):
    """A Track call that is not accepted; nothing of it is stored."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("invalid_call", faults[0].message)
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a workspace decides about calls."""

    email_identifies: bool = True
    value_bytes: int = 1000
    attributes_per_call: int = 300
    semantic_event_aliases: bool = False


class Call(NamedTuple):
    """An accepted call: its operations in order, and what of it is taken without any effect on the workspace."""

    operations: tuple[AnyOperation, ...]
    ignored: tuple[str, ...] = ()


def refuse_if(faults: Sequence[Fault]) -> None:
    """Raise CallRefused if there is anything wrong."""
    if faults:
        raise CallRefused(faults)


__all__ = ["Call", "CallRefused", "Fault", "Reason", "Rules", "refuse_if"]
