"""Domains that mail is sent from: how they are written, and which of them an address belongs to (MSG-18, MSG-19)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import StringConstraints

from domain.addresses import parse

DomainName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
"""The name of a domain, in lower case and in ASCII."""

NOT_OURS: Final = "from address does not belong to a verified sending domain"
"""What a delivery says whose sender is not of a domain of its workspace (MSG-18)."""


def domain_of(address: str) -> str:
    """The domain of a bare address or of one in angle brackets, in lower case and, where it can be, in ASCII."""
    found = parse(address)
    named = found.domain if found is not None else address.strip().rstrip(">").rpartition("@")[2].strip()
    return named.lower()


def belongs(domain: str, registered: str) -> bool:
    """Whether a domain is the registered one or below it."""
    return domain == registered or domain.endswith(f".{registered}")


def nearest(domain: str, registered: Iterable[str]) -> str | None:
    """The most specific of the domains that this one belongs to."""
    return max((name for name in registered if belongs(domain, name)), key=len, default=None)


__all__ = ["NOT_OURS", "DomainName", "belongs", "domain_of", "nearest"]
