"""The addresses from which a workspace takes calls (API-02): none listed means all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from domain.errors import DomainError, InvalidInput, NotFound, Problem
from store import workspaces
from store.database import Database

MOST: Final = 1000
LONGEST: Final = 64
REFUSED: Final = "Calls from this address are not allowed."

Network = IPv4Network | IPv6Network


async def get(db: Database, workspace_id: int) -> dict[str, Any]:
    """The list of a workspace; raises NotFound."""
    async with db.connection() as conn:
        return _wire(await workspaces.allowed_ips(conn, workspace_id), workspace_id)


async def put(db: Database, workspace_id: int, listed: Sequence[str]) -> dict[str, Any]:
    """Replace the list; it counts for the very next call. Raises InvalidInput, NotFound."""
    problems = [
        Problem(code="format", pointer=f"/allowed_ips/{index}", message=why)
        for index, text in enumerate(listed)
        if (why := _fault(text)) is not None
    ]
    if len(listed) > MOST:
        problems = [Problem(code="length", pointer="/allowed_ips", message=f"At most {MOST} are allowed.")]
    if problems:
        raise InvalidInput(problems)
    kept = list(dict.fromkeys(text.strip() for text in listed))
    async with db.transaction() as conn:
        return _wire(await workspaces.set_allowed_ips(conn, workspace_id, kept), workspace_id)


def check(listed: Sequence[str], address: str | None) -> None:
    """Refuse (`forbidden_address`) a call that comes from elsewhere than a list that is not empty."""
    if not listed:
        return
    came_from = _address(address or "")
    if came_from is None or not any(came_from in network for network in _networks(tuple(listed))):
        raise DomainError("forbidden_address", REFUSED)


def _fault(text: str) -> str | None:
    given = text.strip()
    if len(given) > LONGEST:
        return "Give an address or a network in CIDR form, such as 203.0.113.0/24."
    try:
        ip_network(given)
    except ValueError:
        pass
    else:
        return None
    try:
        return f"The address has bits beyond the length of the network; write {ip_network(given, strict=False)}."
    except ValueError:
        return "Give an address or a network in CIDR form, such as 203.0.113.0/24."


@lru_cache(maxsize=256)
def _networks(listed: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in listed)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one also where it is written as IPv6."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _wire(listed: list[str] | None, workspace_id: int) -> dict[str, Any]:
    if listed is None:
        raise NotFound("workspace", workspace_id)
    return {"allowed_ips": listed}


__all__ = ["check", "get", "put"]
