"""Our own processes: workers that say they are there, the API, its certificate."""

from __future__ import annotations

import ssl
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx

from services.doctor.certificates import expiry_of
from services.doctor.finding import Finding, Level, ok
from services.doctor.sight import TABLES, Check, Sight
from services.doctor.temporal import FOLLOWS
from services.doctor.words import said
from services.health import ROLES, SILENT_AFTER
from store import workers as store

API_LIMIT: Final = 4.0
EXPIRES_SOON, EXPIRES_NOW = timedelta(days=21), timedelta(days=3)
AHEAD: Final = timedelta(seconds=2)


async def workers(sight: Sight) -> list[Finding]:
    """Whether somebody does the work of each role."""
    now = sight.clock()
    async with sight.db.connection() as conn:
        seen = await store.seen_since(conn, now - SILENT_AFTER)
    roles = Counter(role for worker in seen for role in worker.roles.split(","))
    missing = sorted(ROLES - set(roles))
    findings = [_missing(role) for role in missing]
    if not missing:
        told = ", ".join(f"{role} {roles[role]}" for role in sorted(roles))
        findings.append(ok("workers", f"{len(seen)} processes ({told})"))
    ahead = [worker for worker in seen if worker.seen_at > now + AHEAD]
    if ahead:
        findings.append(
            Finding(
                "workers.clock",
                "warning",
                f"the clock of worker {ahead[0].worker_id} is {(ahead[0].seen_at - now).total_seconds():.0f} s ahead",
                "Instants of facts, waits and leases are compared between machines.",
                "Waits end early or late by as much.",
                "Let all machines follow a time server: `timedatectl set-ntp true`, then `timedatectl status`.",
                "clock-skew",
            )
        )
    return findings


def _missing(role: str) -> Finding:
    return Finding(
        f"workers.{role}",
        "failure",
        f"no worker with the role `{role}` was heard of for {SILENT_AFTER.total_seconds():g} s",
        "None runs, or it cannot reach the database.",
        f"{FOLLOWS[role]} Nothing is lost.",
        f"python worker.py --roles {role}",
        "no-worker-for-a-role",
    )


async def api(sight: Sight) -> list[Finding]:
    """Whether the API answers where callers and links look for it."""
    if not sight.deployment.api_urls:
        return [ok("api", "no address of the API is known here")]
    return [await _answers(url, sight.deployment.ca_file) for url in sight.deployment.api_urls]


async def _answers(url: str, ca_file: Path | None) -> Finding:
    try:
        context = ssl.create_default_context(cafile=ca_file) if url.startswith("https") else False
        async with httpx.AsyncClient(verify=context, timeout=API_LIMIT, follow_redirects=False) as client:
            answer = await client.get(f"{url.rstrip('/')}/v1/health/ready")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return _away(url, said(error))
    if answer.status_code == 200:
        return ok("api", f"{url} accepts calls")
    if answer.status_code == 503:
        return _away(url, f"not ready: {answer.text[:300]}")
    return _away(url, f"something else answers there, with status {answer.status_code}")


def _away(url: str, why: str) -> Finding:
    return Finding(
        "api",
        "failure",
        f"the API does not accept calls at {url}: {why}",
        "It does not run, is not ready, or a proxy in front of it does not lead there.",
        "Calls are refused and clients repeat them; links in messages (clicks, unsubscribe) fail.",
        "Start it: `python -m api.app`; or correct SOJOURN_PUBLIC_URL, SOJOURN_HOST and the proxy.",
        "api-errors",
    )


async def certificate(sight: Sight) -> list[Finding]:
    """How long the certificate of the https listener is good for."""
    name, file = "certificate", sight.deployment.tls_cert_file
    if file is None:
        return [ok(name, "the API has no https listener of its own")]
    try:
        until = expiry_of(file)
    except (OSError, ValueError) as error:
        return [_bad_certificate("failure", f"{file} cannot be read: {said(error)}")]
    left = until - sight.clock()
    if left > EXPIRES_SOON:
        return [ok(name, f"good until {until:%Y-%m-%d}")]
    word = "expired on" if left <= timedelta() else "expires on"
    return [_bad_certificate("failure" if left <= EXPIRES_NOW else "warning", f"{file} {word} {until:%Y-%m-%d}")]


def _bad_certificate(level: Level, summary: str) -> Finding:
    return Finding(
        "certificate",
        level,
        summary,
        "Clients refuse a certificate that is over.",
        "Calls over https fail then, and links in messages.",
        "Put the renewed certificate into SOJOURN_TLS_CERT_FILE and SOJOURN_TLS_KEY_FILE and restart the API.",
        "certificate",
    )


CHECKS: Final = (
    Check("workers", workers, TABLES),
    Check("api", api, limit=10.0),
    Check("certificate", certificate),
)

__all__ = ["CHECKS"]
