"""`doctor`: looks at a deployment by its settings, says what is sick, what follows, and what to do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

import migrations
from clock import system_now
from console.session import print_json
from console.stack_file import RunningStack
from console.words import number
from secret_files import SUFFIX, SecretFileError
from services.doctor import CHECKS, Cluster, Deployment, Finding, Level, examine, ok, status
from settings import PREFIX, Settings, told
from workflows.cluster import TemporalCluster

MARKS: Final[dict[Level, tuple[str, str]]] = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "failure": ("FAILURE", "bold red"),
    "unknown": ("unknown", "magenta"),
}
NAME_WIDTH: Final = 32


def look(console: Console, *, as_json: bool) -> int:
    """Print what is found and return the exit status."""
    settings, findings = read_settings()
    if not as_json:
        for finding in findings:
            _print(console, finding)
    deployment = deployment_of(settings)

    def report(finding: Finding) -> None:
        if not as_json:
            _print(console, finding)

    connect = None if deployment.temporal_address is None else lambda: _connect(deployment)
    findings = [*findings, *asyncio.run(examine(deployment, CHECKS, connect, system_now, report))]
    if as_json:
        print_json({"status": status(findings), "findings": [{**asdict(f), "link": f.link} for f in findings]})
    else:
        _print_sum(console, findings)
    return status(findings)


async def _connect(deployment: Deployment) -> Cluster:
    return await TemporalCluster.connect(deployment.temporal_address or "", deployment.temporal_namespace)


def read_settings() -> tuple[Settings, list[Finding]]:
    """The settings, and what is wrong with them: what cannot be read counts as not set, so that the rest can be looked at."""
    lines: dict[str, None] = {}
    without: set[str] = set()
    given: dict[str, str] = {}
    while True:
        try:
            with _environment_without(without):
                settings = Settings(**given)  # type: ignore[arg-type]
        except SecretFileError as error:
            lines |= dict.fromkeys(told(error))
            more = {name for name in os.environ if name.startswith(PREFIX) and name.endswith(SUFFIX)}
        except ValidationError as error:
            lines |= dict.fromkeys(told(error))
            bad = {f"{PREFIX}{problem['loc'][0]}".upper() for problem in error.errors() if problem["loc"]}
            more = {name for name in os.environ if name.split("__")[0].removesuffix(SUFFIX) in bad}
            if not bad and not given:
                given = {"mode": "development"}
                continue
            more = more or {name for name in os.environ if name.startswith(f"{PREFIX}DATABASE_PASSWORD")}
        else:
            return settings, [_setting(line) for line in lines] or [ok("settings", f"mode {settings.mode}")]
        if more <= without:
            return Settings.model_construct(), [_setting(line) for line in lines]
        without |= more


@contextmanager
def _environment_without(names: Collection[str]) -> Iterator[None]:
    """The environment as if some variables were not set."""
    taken = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)


def _setting(line: str) -> Finding:
    return Finding(
        "settings",
        "failure",
        line,
        "API, workers and set-up refuse to start with these settings.",
        "After their next restart calls are not answered.",
        "Correct it where the processes get their environment from; docs/settings.md lists all variables.",
        "settings",
    )


def deployment_of(settings: Settings) -> Deployment:
    """What checks ask for, from the settings and from the stack that runs here where they name no servers."""
    stack = RunningStack.read(settings.data_dir) if settings.database_url is None else None
    urls = [settings.public_url] if settings.public_url else []
    if stack is not None:
        urls += [stack.api_url, stack.api_tls_url]
    elif not urls and settings.database_url is not None:
        urls = [settings.api_url]
    return Deployment(
        production=settings.mode == "production",
        database_url=settings.database_url or (stack.database_url if stack else None),
        temporal_address=settings.temporal_address or (stack.temporal_address if stack else None),
        temporal_namespace=settings.temporal_namespace,
        temporal_retention=settings.temporal_retention,
        api_urls=urls,
        ca_file=stack.ca_bundle_file if stack else None,
        tls_cert_file=settings.tls_cert_file,
        data_dir=settings.data_dir if settings.database_url is None else None,
        allow_private_urls=settings.allow_private_urls,
        has_deployment_key=_has_key(settings),
        schema_head=migrations.head(),
        schema_known=migrations.known(),
        retention_days=settings.retention.days_by_table(),
    )


def _has_key(settings: Settings) -> bool:
    try:
        return bool(settings.secret_key())
    except (OSError, ValueError):
        return False


def _print(console: Console, finding: Finding) -> None:
    word, style = MARKS[finding.level]
    line = Text(f"{word:<8}", style=style)
    console.print(line + Text(f" {finding.check:<{NAME_WIDTH}} {finding.summary}", style=""))
    parts = {"means": finding.meaning, "follows": finding.follows, "do": finding.remedy, "see": finding.link or ""}
    for what, text in parts.items():
        if text:
            console.print(Text(f"{'':9}{what + ':':<9}{text}", style="bold" if what == "do" else ""))


def _print_sum(console: Console, findings: Sequence[Finding]) -> None:
    counts = {level: sum(1 for finding in findings if finding.level == level) for level in MARKS}
    if counts["ok"] == len(findings):
        console.print(Text(f"All well: {number(len(findings), 'finding')}.", style="green"))
        return
    told = [f"{counts[level]} {level}" for level in ("failure", "warning", "unknown") if counts[level]]
    console.print(Text(f"{', '.join(told)}, {counts['ok']} ok.", style="bold"))


__all__ = ["deployment_of", "look", "read_settings"]
