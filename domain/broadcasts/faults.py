"""Why a trigger was refused, in the words of the vendor's API and in ours (CHN-21)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

EXACTLY_ONE: Final = (
    'exactly one of "recipients", "ids", "emails", "per_user_data", or "data_file_url" must be provided'
)
NOT_VALID: Final = "recipients filter is not valid"
NOT_JSON: Final = 'the header "Content-Type: application/json" is missing'
MOST_NAMED: Final = 1_000
"""How many of the missing are named; the rest are counted."""


class Fault(NamedTuple):
    """One reason: `detail` is what clients look for, `message` says more; `field` is the part of the body it is about.

    `lines` are what the error report of the trigger keeps of it, the detail where there are none.
    """

    code: str
    field: str
    detail: str
    message: str = ""
    lines: Sequence[str] = ()

    @property
    def pointer(self) -> str:
        """Where it is, as the vendor writes that; empty where the body is not to blame."""
        return f"/data/attributes/{self.field}" if self.field else ""

    @property
    def reported(self) -> list[str]:
        """The lines of the error report."""
        return list(self.lines) or list(dict.fromkeys((self.detail, self.message or self.detail)))


class CallRefused(Exception):
    """A call that says something it may not say."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.detail for fault in faults))
        self.faults = list(faults)


def missing(what: str, names: Sequence[str]) -> str:
    """The sentence on ids or emails that nobody has."""
    return f"the following {what} are missing: {_listed(names)}"


def ambiguous(names: Sequence[str]) -> str:
    """The sentence on addresses of several people."""
    return f"the following emails belong to more than one person: {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    said = ", ".join(names[:MOST_NAMED])
    return f"{said} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else said


__all__ = ["EXACTLY_ONE", "NOT_JSON", "NOT_VALID", "CallRefused", "Fault", "ambiguous", "missing"]
