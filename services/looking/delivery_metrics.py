"""What became of messages, told step by step of time in the App API's words (SUB-25, APP-04)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from domain.errors import DomainError
from domain.increments import Resolution
from domain.periods import Period, Steps, steps_back, steps_between
from domain.values import from_unix
from domain.zones import zone_named
from ingest.catalog import Campaign, Catalog, Catalogs
from services.looking.message_lists import CHANNEL_OF, MessageType
from services.looking.sources import action_named, automation_named, transactional_id_of
from store.database import Connection, Database
from store.reads import delivery_metrics as reads
from store.reads.delivery_metrics import Clicks, Counted, Source

METRICS: Final = (
    "attempted",
    "bounced",
    "clicked",
    "converted",
    "created",
    "deferred",
    "delivered",
    "drafted",
    "failed",
    "human_clicked",
    "human_opened",
    "link_untracked",
    "machine_clicked",
    "open_untracked",
    "opened",
    "prefetch_opened",
    "replied",
    "sent",
    "spammed",
    "suppressed",
    "topic_unsubscribed",
    "tracking_consent_denied",
    "tracking_consent_granted",
    "undeliverable",
    "unsubscribed",
    "untracked",
)
"""Every series of an answer, in its order; those that nothing here leads to are zeros."""
FIGURES: Final = ("created", "drafted", "sent", "delivered", "opened", "clicked", "converted", "bounced", "suppressed")
"""What is told of one trigger of a broadcast, with `failed` and `undeliverable`."""


@dataclass(frozen=True, slots=True)
class LastSteps:
    """The first version of the question: so many steps back from now."""

    period: Period = "days"
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Between:
    """The second version: from one instant to another, Unix seconds, in the days of a zone."""

    start: int
    end: int
    resolution: Resolution
    zone: str = "UTC"

    @property
    def tz(self) -> tzinfo:
        """The zone; raises DomainError `invalid_parameter`."""
        found = zone_named(self.zone)
        if found is None:
            raise DomainError("invalid_parameter", f"There is no time zone {self.zone!r}.", "/tz")
        return found


Question = LastSteps | Between


@dataclass(frozen=True, slots=True)
class Of:
    """Whose messages are asked for, as a caller names them."""

    kind: str
    ref: str | int
    action: str | int | None = None
    type: MessageType | None = None


class DeliveryMetrics:
    """The figures of one workspace as they are at an instant of real time; all raise NotFound."""

    def __init__(self, db: Database, catalogs: Catalogs, workspace_id: int, now: datetime) -> None:
        self._db = db
        self._catalogs = catalogs
        self._workspace_id = workspace_id
        self._now = now

    async def series(self, of: Of, question: Question) -> dict[str, Any]:
        """One number of each metric for every step, oldest first; of a block that speaks several languages, by language too."""
        async with self._db.connection() as conn:
            catalog = await self._catalogs.get(conn, self._workspace_id)
            automation, source = _source(catalog, of)
            steps = _steps(question, catalog.now(self._now))
            codes = _languages(automation, source)
            counted = await reads.by_step(
                conn, self._workspace_id, source, steps.begins, steps.end, languages=bool(codes)
            )
        answer: dict[str, Any] = {"series": _series(counted, len(steps.begins))}
        if isinstance(question, Between):
            answer |= {"start": _said(question.start, question), "end": _said(question.end, question)}
            answer["res"] = question.resolution
        if not codes:
            return {"metric": answer}
        variants = {
            code or "default": {
                "default": code is None,
                "language": code or "",
                "series": _series([one for one in counted if _is_in(one, code, codes)], len(steps.begins)),
            }
            for code in (None, *codes)
        }
        return {"metric": answer, "language_variants": variants}

    async def links(self, of: Of, question: LastSteps, *, unique: bool) -> dict[str, Any]:
        """The links that were clicked, the most clicked first, with one number for every step."""
        async with self._db.connection() as conn:
            catalog = await self._catalogs.get(conn, self._workspace_id)
            _, source = _source(catalog, of)
            steps = _steps(question, catalog.now(self._now))
            found = await reads.of_links(conn, self._workspace_id, source, steps.begins, steps.end, unique=unique)
        return {"links": _links(found, len(steps.begins))}


async def trigger_figures(conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int) -> dict[str, int]:
    """How many messages of one trigger of a broadcast have reached each metric; those that none has are there as 0."""
    found = await reads.of_trigger(conn, workspace_id, broadcast_id, trigger_no)
    return {name: found.get(name, 0) for name in (*FIGURES, "failed", "undeliverable", *sorted(found))}


def _source(catalog: Catalog, of: Of) -> tuple[Campaign | None, Source]:
    channel = None if of.type is None else CHANNEL_OF.get(of.type, of.type)
    if of.kind == "transactional":
        return None, Source(transactional_id=transactional_id_of(catalog, of.ref), channel=channel)
    automations = catalog.campaigns if of.kind == "campaign" else catalog.broadcasts
    automation = automation_named(automations, of.kind, of.ref)
    action_id = None if of.action is None else action_named(automation, of.action)
    return automation, Source(automation.id, action_id, channel=channel)


def _steps(question: Question, here: datetime) -> Steps:
    if isinstance(question, LastSteps):
        return steps_back(here, question.period, question.steps)
    return steps_between(from_unix(question.start), from_unix(question.end), question.resolution, question.tz)


def _languages(automation: Campaign | None, source: Source) -> list[str]:
    """The languages of the block beside the default one."""
    if automation is None or source.action_id is None:
        return []
    blocks = automation.definition.workflow.blocks
    key = next((key for key, number in automation.actions.items() if number == source.action_id), None)
    content = getattr(blocks.get(key or ""), "message", None)
    variants: Mapping[str, tuple[str, Any]] = getattr(content, "variants", None) or {}
    return sorted(code for code, _ in variants.values())


def _is_in(counted: Counted, code: str | None, codes: Sequence[str]) -> bool:
    """Whether it was said in the language, however it was written then; whatever is none of the variants counts as the default."""
    said = (counted.language or "").casefold()
    return said == code.casefold() if code is not None else said not in {known.casefold() for known in codes}


def _series(counted: Iterable[Counted], steps: int) -> dict[str, list[int]]:
    found = {name: [0] * steps for name in METRICS}
    for one in counted:
        if one.metric in found:
            found[one.metric][one.step] += one.messages
    return found


def _links(found: Sequence[Clicks], steps: int) -> list[dict[str, Any]]:
    series: dict[str, dict[str, list[int]]] = {}
    for one in found:
        of = series.setdefault(
            one.href, {name: [0] * steps for name in ("clicked", "human_clicked", "machine_clicked")}
        )
        of["clicked"][one.step] = one.clicked
        of["human_clicked"][one.step] = one.human
        of["machine_clicked"][one.step] = one.machine
    ordered = sorted(series.items(), key=lambda item: (-sum(item[1]["clicked"]), item[0]))
    return [{"link": {"id": _link_id(href), "href": href}, "metric": {"series": one}} for href, one in ordered]


def _link_id(href: str) -> int:
    """A number that the same address always has."""
    return int.from_bytes(hashlib.sha256(href.encode()).digest()[:4]) >> 1


def _said(at: int, question: Between) -> str:
    """An instant as the second version writes it."""
    return from_unix(at).astimezone(question.tz).strftime("%Y-%m-%d %H:%M:%S %z %Z")


__all__ = [
    "FIGURES",
    "METRICS",
    "Between",
    "DeliveryMetrics",
    "LastSteps",
    "Of",
    "Question",
    "trigger_figures",
]
