"""Asking the domain name system (MSG-19): the only place that does, and only when somebody wants to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from domain.domain_records import RecordType

SECONDS: Final = 5.0
PORT: Final = 53


class Lookups:
    """The name servers of this machine, or those named (`address` or `address:port`)."""

    def __init__(self, servers: Sequence[str] = ()) -> None:
        self._servers = servers

    async def values(self, name: str, kind: RecordType) -> list[str] | None:
        """The values of a record as people read them, in order; None where no server answers."""
        try:
            answer = await self._resolver().resolve(name, kind, search=False, lifetime=SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError):
            return None
        return sorted(_text(item) for item in answer)

    def _resolver(self) -> dns.asyncresolver.Resolver:
        if not self._servers:
            return dns.asyncresolver.Resolver()
        resolver = dns.asyncresolver.Resolver(configure=False)
        host, _, port = (
            self._servers[0].rpartition(":") if self._servers[0].count(":") == 1 else (self._servers[0], "", "")
        )
        resolver.nameservers = [host]
        resolver.port = int(port) if port else PORT
        return resolver


def _text(item: object) -> str:
    if isinstance(item, TXT):
        return b"".join(item.strings).decode(errors="replace")
    return str(item)


__all__ = ["Lookups"]
