"""Which way out a message takes: chosen when it is handed over, so that a change of providers holds for what waits (MSG-27)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from channels import CAPTURE, HTTP
from domain.definitions.provider import ProviderDefinition, UseFor
from ingest.catalog import Campaign, Catalog
from rendering.rendered_email import RenderedEmail
from services.messages import Rendered

MOST_KNOWN: Final = 1_000
"""Senders may be of very many domains."""
_USES: Final[Mapping[str, UseFor]] = {
    "segment": "segment_triggered",
    "event": "event_triggered",
    "broadcast": "broadcasts",
    "transactional": "transactional",
}


def use_of(campaign: Campaign | None) -> UseFor:
    """What a provider has to be for that is to take messages of this."""
    return _USES.get(campaign.definition.trigger.type, "all") if campaign is not None else "all"


def provider_for(catalog: Catalog, channel: str, use: UseFor, message: Rendered | None) -> ProviderDefinition | None:
    """The way out of a message: that of its sender's domain, else that of its type, else the one of all; None without any.

    In a sandbox it is always `capture`.
    """
    if catalog.workspace.sandbox:
        return CAPTURE
    if channel == "webhook":
        return HTTP
    domain = message.sender.domain.lower() if isinstance(message, RenderedEmail) else None
    known, asked = catalog.compiled.ways, (channel, use, domain)
    if asked not in known:
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[asked] = _found(catalog, channel, use, domain)
    return known[asked]


def _found(catalog: Catalog, channel: str, use: UseFor, domain: str | None) -> ProviderDefinition | None:
    entries = [entry.definition for entry in catalog.providers]
    mine = [one for one in entries if isinstance(one, ProviderDefinition) and one.channel == channel]
    if domain is not None:
        named = _of_domain(mine, domain)
        if named is not None:
            return named
    uses: tuple[UseFor, ...] = (use, "all")
    return next((provider for use in uses for provider in mine if provider.serves(use)), None)


def _of_domain(providers: list[ProviderDefinition], domain: str) -> ProviderDefinition | None:
    """The provider that names the domain, or the nearest one above it."""
    named = [(provider.domain_for(domain) or "", provider) for provider in providers]
    longest, provider = max(named, key=lambda pair: len(pair[0]), default=("", None))
    return provider if longest else None


__all__ = ["provider_for", "use_of"]
