"""The JSON case files: condition, facts and instant in; verdict and flip out. They are data, so that anybody can add one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.conditions import evaluate, parse_condition
from domain.facts import (
    DeviceFact,
    Directory,
    EventFact,
    Facts,
    Happening,
    JourneyFacts,
    MessageFact,
    Position,
    RelatedFact,
)
from domain.values import from_unix

FOLDER = Path(__file__).parents[2] / "cases" / "conditions"
CASES = [(file.stem, case) for file in sorted(FOLDER.glob("*.json")) for case in json.loads(file.read_text())]


def read_event(raw: Any, seq: Any) -> EventFact:
    return EventFact(
        raw["name"],
        from_unix(raw["at"]),
        raw.get("seq", seq),
        raw.get("data", {}),
        raw.get("type", "event"),
        raw.get("event_id"),
    )


def read_position(raw: Any) -> Position:
    return Position(from_unix(raw[0]), raw[1])


def read_message(raw: Any) -> MessageFact:
    happenings = [
        Happening(metric, read_position(position), **(more[0] if more else {}))
        for metric, *position, more in (([*h[:3], h[3:]]) for h in raw["happenings"])
    ]
    return MessageFact(raw["channel"], raw["campaign_id"], raw["action_id"], happenings, raw.get("transactional_id"))


def read_directory(raw: Any) -> Directory:
    ids = {(kind, key): number for kind, key, number in raw.get("ids", [])}
    return Directory(ids, {int(campaign): blocks for campaign, blocks in raw.get("actions", {}).items()})


def read_facts(raw: Any) -> Facts:
    journey = raw.get("journey")
    return Facts(
        attributes=raw.get("attributes", {}),
        age_start=from_unix(raw.get("age_start", 0)),
        events=[read_event(event, seq) for seq, event in enumerate(raw.get("events", []), start=1)],
        segments=frozenset(raw.get("segments", [])),
        segment_ids=raw.get("segment_ids", {}),
        journey=journey
        and JourneyFacts(
            journey_id="j",
            started=read_position(journey["started"]),
            attributes=journey.get("attributes", {}),
            trigger_event=read_event(journey["trigger_event"], 0) if "trigger_event" in journey else None,
            trigger=journey.get("trigger"),
            wait_started=read_position(journey["wait_started"]) if "wait_started" in journey else None,
            campaign_id=journey.get("campaign_id"),
        ),
        devices=[DeviceFact(**device) for device in raw.get("devices", [])],
        related=[RelatedFact(r["type"], r["object"], r["relationship"]) for r in raw.get("related", [])],
        messages=[read_message(message) for message in raw.get("messages", [])],
        directory=read_directory(raw.get("directory", {})),
    )


def test_there_are_cases() -> None:
    assert len(CASES) > 60
    assert len({(file, case["name"]) for file, case in CASES}) == len(CASES)


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{file}: {case['name']}" for file, case in CASES])
def test_case(file: str, case: Any) -> None:
    facts, condition = read_facts(case.get("facts", {})), parse_condition(case["condition"])
    verdict = evaluate(condition, facts, from_unix(case["now"]), explain=True)
    assert verdict.matched is case["matched"], verdict
    flips_at = case.get("flips_at")
    assert verdict.flips_at == (None if flips_at is None else from_unix(flips_at))
    assert len(verdict.leaves) == len(condition.leaves)
    if flips_at is not None and not case.get("may_stay", False):
        assert evaluate(condition, facts, from_unix(flips_at)).matched is not case["matched"]
    assert parse_condition(condition.dump()) == condition
