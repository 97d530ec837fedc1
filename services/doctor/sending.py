"""What keeps messages from leaving: providers that are away, domains whose records are wrong, keys that are missing."""

from __future__ import annotations

from typing import Final

from services.doctor.finding import Finding, ok
from services.doctor.sight import TABLES, Check, Sight
from store import flow_state as store

LEAST_KEY: Final = 16


async def providers(sight: Sight) -> list[Finding]:
    """Providers that cannot be used at present."""
    name = "sending.providers"
    async with sight.db.connection() as conn:
        away = await store.providers_away(conn)
    if not away:
        return [ok(name, "no provider is known to be away")]
    told = "; ".join(f"'{provider}' of workspace {workspace}: {reason}" for workspace, provider, reason in away)
    workspace, provider, _ = away[0]
    return [
        Finding(
            name,
            "failure",
            f"providers are away: {told}",
            "Their server does not answer, or refuses our name and password.",
            "Deliveries through them wait, and leave by themselves when the server is back.",
            f"Try the server from the worker's machine; where its settings are wrong, correct the provider '{provider}' "
            f"with `sojourn apply` in workspace {workspace}: it is tried again at once.",
            "provider-away",
        )
    ]


async def domains(sight: Sight) -> list[Finding]:
    """Sending domains whose records receivers would not find right."""
    name = "sending.domains"
    async with sight.db.connection() as conn:
        found = await store.sending_domains(conn)
    wrong = [(workspace, domain) for workspace, domain, status in found if status not in ("verified", "unchecked")]
    unchecked = [domain for _, domain, status in found if status == "unchecked"]
    if not wrong and not (unchecked and sight.deployment.production):
        return [ok(name, f"{len(found)} domains, {len(unchecked)} of them never looked at")]
    told = ", ".join(f"{domain} (workspace {workspace})" for workspace, domain in wrong)
    summary = f"records are missing or wrong: {told}" if wrong else f"never looked at: {', '.join(unchecked[:5])}"
    return [
        Finding(
            name,
            "warning",
            summary,
            "SPF, DKIM or DMARC of a domain are not in the DNS as they should be, or nobody looked.",
            "Receivers put such mail among the spam, or refuse it.",
            'curl -X POST -H "Authorization: Bearer $APP_KEY" $API_URL/v1/domains/DOMAIN/verify says which records are '
            "missing; enter them at the DNS of the domain, then repeat it.",
            "sending-domain",
        )
    ]


async def keys(sight: Sight) -> list[Finding]:
    """The keys from which ids and links derive."""
    name = "sending.keys"
    async with sight.db.connection() as conn:
        bare = await store.without_delivery_key(conn, LEAST_KEY)
    if not bare and sight.deployment.has_deployment_key:
        return [ok(name, "the deployment has its key, each workspace its own")]
    summary = (
        f"workspaces {', '.join(map(str, bare))} have no key for deliveries" if bare else "there is no deployment key"
    )
    return [
        Finding(
            name,
            "failure",
            summary,
            "Ids of deliveries and signatures of links derive from these keys.",
            "Links in messages that are out do not work, or new ones cannot be made.",
            "Set SOJOURN_DEPLOYMENT_KEY to the one that was kept with the backup (docs/backup.md).",
            "settings",
        )
    ]


async def private_urls(sight: Sight) -> list[Finding]:
    """Whether webhooks may reach into the own network."""
    name = "sending.private-urls"
    if not (sight.deployment.production and sight.deployment.allow_private_urls):
        return [ok(name, "calls to private addresses are as this mode expects")]
    return [
        Finding(
            name,
            "warning",
            "webhooks and files may be called at private addresses, in production mode",
            "Whoever may edit a campaign can have servers of your network called.",
            "None, as long as everybody with a key is trusted that far.",
            "Unset SOJOURN_ALLOW_PRIVATE_URLS and restart API and workers, unless it is meant.",
            "private-urls",
        )
    ]


CHECKS: Final = (
    Check("sending.providers", providers, TABLES),
    Check("sending.domains", domains, TABLES),
    Check("sending.keys", keys, TABLES),
    Check("sending.private-urls", private_urls),
)

__all__ = ["CHECKS"]
