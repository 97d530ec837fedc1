"""Journeys, messages, people, clocks and workspaces as tables."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.words import OUTCOME_STYLES, instant, lasting, number, person, standing, state

SENDERS = ("campaign", "broadcast", "transactional")
"""The kinds of what sends messages; a captured message names one of them by its key."""


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table in the house style."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def journeys(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """A list of journeys, one a line."""
    if not found:
        console.print("No journeys.")
        return
    rows = table("journey", "campaign", "person", "state", "stands at", "started")
    for journey in found:
        rows.add_row(
            journey["id"],
            str(journey.get("campaign", "-")),
            person(journey.get("customer_identifiers")),
            state(journey),
            standing(journey),
            instant(journey["started_at"]),
        )
    console.print(rows)


def journey(console: Console, found: dict[str, Any]) -> None:
    """One journey with its step log."""
    head = Text(f"{found.get('campaign', '')} ", style="bold")
    head.append(f"{person(found.get('customer_identifiers'))}  ", style="")
    head.append_text(state(found))
    console.print(head)
    console.print(f"journey {found['id']}   version {found.get('version', '-')}", style="dim")
    if found.get("explanation"):
        console.print(found["explanation"])
    span = f"started {instant(found['started_at'])}"
    if found.get("ended_at") is not None:
        span += f"   ended {instant(found['ended_at'])} after {lasting(found['ended_at'] - found['started_at'])}"
    if found.get("converted_at") is not None:
        span += f"   converted {instant(found['converted_at'])}"
    console.print(span)
    if standing(found) != "-":
        console.print(f"stands at {standing(found)}", style="yellow")
    rows = table("", "block", "arrived", "left", "outcome", "")
    for step in found.get("steps", []):
        outcome = str(step.get("outcome", "-"))
        rows.add_row(
            str(step["seq_num"]),
            str(step.get("block", "-")),
            instant(step["created_at"]),
            instant(step.get("left_at")),
            Text(outcome, style=OUTCOME_STYLES.get(outcome, "")),
            step_note(step),
        )
    console.print(rows)


def step_note(step: dict[str, Any]) -> str:
    """What else a step has to say: the path taken, the end of a wait, the reason."""
    notes = []
    if step.get("path"):
        notes.append(f"path {step['path']}")
    if step.get("outcome") == "waiting" and step.get("delay_ends_at") is not None:
        notes.append(f"until {instant(step['delay_ends_at'])}")
    if step.get("explanation"):
        notes.append(str(step["explanation"]))
    if step.get("delivery_id"):
        notes.append(f"delivery {step['delivery_id']}")
    return "; ".join(notes)


def messages(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """A list of received messages, one a line."""
    if not found:
        console.print("The mailbox is empty.")
        return
    rows = table("id", "at", "to", "subject", "sent by", "block")
    for message in found:
        rows.add_row(
            str(message["id"]),
            instant(message["at"]),
            ", ".join(message["to"]),
            subject(message),
            str(next((message[kind] for kind in SENDERS if message.get(kind)), "-")),
            str(message.get("block") or "-"),
        )
    console.print(rows)


def subject(message: dict[str, Any]) -> str:
    """The subject of a captured message."""
    return str((message.get("rendered") or {}).get("fields", {}).get("subject") or "")


def mime(console: Console, raw: bytes) -> None:
    """A message as a mail program shows it: who, what, and the text."""
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe"):
        if parsed[name]:
            console.print(Text(f"{name + ':':<18}", style="dim").append(str(parsed[name]), style=""))
    body = parsed.get_body(preferencelist=("plain", "html"))
    parts = ", ".join(part.get_content_type() for part in parsed.walk() if not part.is_multipart())
    console.print(f"{'Parts:':<18}{parts}\n", style="dim")
    if body is not None:
        console.print(Text(body.get_content().rstrip()))


def profile(console: Console, found: dict[str, Any], segments: Sequence[dict[str, Any]]) -> None:
    """A person's attributes and segments."""
    for name, value in sorted(found.get("attributes", {}).items()):
        console.print(Text(f"{name:<24}", style="dim").append(str(value), style="default"))
    names = ", ".join(str(segment.get("key") or segment.get("name")) for segment in segments)
    console.print(Text(f"{'in segments':<24}", style="dim").append(names or "none", style="default"))


def timeline(console: Console, newest_first: Sequence[dict[str, Any]]) -> None:
    """What happened to a person, oldest first."""
    rows = table("at", "what", "", "")
    for entry in reversed(newest_first):
        rows.add_row(instant(entry["at"]), entry["type"], str(entry.get("name") or ""), _details(entry))
    console.print(rows)


def clock(console: Console, found: dict[str, Any]) -> None:
    """What time it is in a workspace."""
    kind = "sandbox, stands still until it is moved" if found["sandbox"] else "real time"
    console.print(f"{instant(found['now'], zone=True)}   {found['now']}   ({kind})")
    due = found.get("next_due")
    if due:
        ahead = lasting(due["at"] - found["now"])
        console.print(f"next due: {due.get('kind', 'something')} in {ahead}, {instant(due['at'], zone=True)}")


def clock_report(console: Console, report: dict[str, Any]) -> None:
    """What happened while a clock was moved or settled."""
    console.print(report_line(report))
    for step in report.get("steps") or []:
        console.print(f"  {instant(step['at'])}  {_counts(step['fired'])}", style="dim")
    console.print(f"now {instant(report['now'], zone=True)}   {report['now']}")


def report_line(report: dict[str, Any]) -> str:
    """What happened while a clock was moved, in one line."""
    parts = [f"{name.replace('_', ' ')} {count}" for name, count in (report.get("journeys") or {}).items() if count]
    told = [f"journeys: {', '.join(parts)}"] if parts else []
    for channel, statuses in (report.get("deliveries") or {}).items():
        told.append(f"{channel}: {_counts(statuses)}")
    moves = {name: count for name, count in (report.get("segments") or {}).items() if count}
    if moves:
        told.append(f"segments: {_counts(moves)}")
    if report.get("steps_total"):
        told.append(f"{number(report['steps_total'], 'instant')} with work")
    if "real_ms" in report:
        told.append(f"{report['real_ms']} ms")
    return "settled" + (f" ({'; '.join(told)})" if told else "")


def pending(console: Console, pending_work: dict[str, Any]) -> None:
    """What a clock that did not settle still waits for."""
    for name, left in pending_work.items():
        if left:
            console.print(f"  still pending: {name} {left if isinstance(left, int) else len(left)}", style="yellow")


def workspaces(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """The workspaces of a deployment."""
    rows = table("id", "name", "kind", "created")
    for workspace in found:
        kind = "sandbox" if workspace.get("sandbox") else "live"
        rows.add_row(str(workspace["id"]), workspace["name"], kind, instant(workspace.get("created_at")))
    console.print(rows)


def credentials(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """New credentials with their secrets, which are shown this once."""
    rows = table("kind", "name", "secrets")
    for credential in found:
        names = ("site_id", "api_key", "app_key", "write_key")
        secrets = "   ".join(f"{name} {credential[name]}" for name in names if credential.get(name))
        rows.add_row(credential["kind"], credential["name"], secrets)
    console.print(rows)
    console.print("Keep the secrets: they are stored as hashes and not shown again.", style="yellow")


def campaigns(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """The campaigns of a workspace with their states."""
    if not found:
        console.print("No campaigns. `sojourn apply FOLDER` makes some.")
        return
    rows = table("id", "campaign", "state", "trigger", "under way", "version")
    for record in found:
        status = record["status"]
        rows.add_row(
            str(status["id"]),
            status["key"],
            str(status.get("state", "-")),
            record["definition"]["trigger"]["type"],
            str(status.get("active_journeys", 0)),
            str(status.get("version", "-")),
        )
    console.print(rows)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())


def _details(entry: dict[str, Any]) -> str:
    """What is worth saying of an entry of a timeline beside its name."""
    data = entry["data"]
    if entry["type"] == "activity":
        inner = data.get("data") or {}
        said = next((inner[name] for name in ("data", "attributes") if isinstance(inner.get(name), dict)), inner)
        return ", ".join(f"{name} {_plain(value)}" for name, value in said.items())
    if entry["type"] == "step":
        return "  ".join(filter(None, [str(data.get("outcome", "")), step_note({**data, "delivery_id": None})]))
    names = {
        "journey": ("campaign", "reason"),
        "segment": ("change", "reason"),
        "delivery": ("subject", "recipient", "failure_message"),
    }.get(entry["type"], tuple(data))
    return "  ".join(str(data[name]) for name in names if data.get(name) not in (None, "", {}, []))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
