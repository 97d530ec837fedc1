"""The doctor on a database of its own: what it finds there, by the name of the check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import migrations
from clock import system_now
from services.doctor import CHECKS, Check, Cluster, Deployment, Finding, examine
from settings import Retention


def deployment(url: str | None, **changes: Any) -> Deployment:
    """A deployment that is nothing but this database, unless changed."""
    return Deployment(
        **{
            "production": False,
            "database_url": url,
            "temporal_address": None,
            "temporal_namespace": "sojourn",
            "temporal_retention": timedelta(days=7),
            "api_urls": (),
            "ca_file": None,
            "tls_cert_file": None,
            "data_dir": None,
            "allow_private_urls": False,
            "has_deployment_key": True,
            "schema_head": migrations.head(),
            "schema_known": migrations.known(),
            "retention_days": Retention.model_validate({}).days_by_table(),
            **changes,
        }
    )


async def findings(
    url: str | None,
    *only: str,
    clock: Callable[[], datetime] = system_now,
    checks: Sequence[Check] = CHECKS,
    connect: Callable[[], Awaitable[Cluster]] | None = None,
    **changes: Any,
) -> dict[str, Finding]:
    """What is found, by check; of checks whose names begin with one of `only`, where that is given."""
    chosen = [check for check in checks if not only or check.name.startswith(only)]
    found = await examine(deployment(url, **changes), chosen, connect, clock)
    return {finding.check: finding for finding in found}


def explained(finding: Finding, level: str, anchor: str, *words: str) -> None:
    """Assert that a finding names the sickness and says everything that a reader needs."""
    assert (finding.level, finding.anchor) == (level, anchor), finding
    assert finding.meaning, finding
    assert finding.follows, finding
    assert finding.remedy, finding
    for word in words:
        assert word in finding.summary + finding.remedy, finding
