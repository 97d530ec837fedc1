"""The suppression list: addresses that nothing is sent to, and why (SUB-16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

Category = Literal["bounces", "blocks", "spam_reports", "invalid_emails"]
CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)

EVERY_DOMAIN: Final = ""
"""Stands for all sending domains: what somebody put on the list by hand holds for each of them."""

REASONS: Final[Mapping[str, str]] = {
    "bounces": "Not delivering to previously bounced address",
    "blocks": "Not delivering to previously blocked address",
    "spam_reports": "Not delivering to a user who marked your messages as spam",
    "invalid_emails": "Not delivering to invalid address",
}
"""What a delivery says that was kept back."""

_FULL: Final = re.compile(
    r"\b[45]\.2\.2\b|\b(mailbox|inbox|account)( is| storage)? (full|over ?quota)|\bover ?quota|quota exceeded|insufficient storage",
    re.IGNORECASE,
)
_BLOCKED: Final = re.compile(
    r"\b(block ?list\w*|black ?list\w*|dnsbl|rbl|spamhaus|spamcop|barracuda|blocked using)", re.IGNORECASE
)
_HARD: Final = re.compile(r"(?:^|\s)5\d\d[\s-]|\b5\.\d{1,3}\.\d{1,3}\b")


def address_key(email: str) -> str:
    """By what an address is found on the list, however it is written."""
    return email.strip().lower()


def names_blocklist(answer: str) -> bool:
    """Whether a refusal says that we are on a blocklist, which trying again does not mend."""
    return _BLOCKED.search(answer) is not None


def category_of(answer: str) -> Category | None:
    """The list that a hard bounce puts its address on; None for a full mailbox, which may be emptied."""
    if _FULL.search(answer) is not None:
        return None
    return "blocks" if names_blocklist(answer) else "bounces"


def reported_category(metric: str, reason: str | None) -> Category | None:
    """The list that a report puts the address of its message on: a bounce only where its reason says that it is a hard one."""
    if metric == "spammed":
        return "spam_reports"
    if metric != "bounced" or reason is None or _HARD.search(reason) is None:
        return None
    return category_of(reason)


def code_in(answer: str) -> str:
    """The reply or enhanced code that an answer begins with, as the list shows it; empty where it has none."""
    words = answer.split(maxsplit=2)[:2]
    found = [word for word in words if re.fullmatch(r"[45]\d\d|[45]\.\d{1,3}\.\d{1,3}", word)]
    return found[-1] if found else ""


__all__ = [
    "CATEGORIES",
    "EVERY_DOMAIN",
    "REASONS",
    "Category",
    "address_key",
    "category_of",
    "code_in",
    "names_blocklist",
    "reported_category",
]
