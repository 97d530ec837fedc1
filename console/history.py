"""`revisions`, `restore`, `used-by`: what a document was, putting it back, and who refers to it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from rich.text import Text

from console.applying import difference
from console.session import Session
from console.showing import table
from console.words import instant, number
from services.documents_io import dump_yaml

MOST_PATHS: Final = 4
"""How many changed fields one line of the history names."""


def show(session: Session, kind: str, key: str, limit: int) -> None:
    """The history as a table, newest first."""
    found = list(session.api.listed(f"{_path(kind, key)}/revisions", "revisions", limit=limit))
    if session.shown({"revisions": found}):
        return
    rows = table("revision", "when", "by", "source", "changed")
    for one in found:
        rows.add_row(
            str(one["revision"]),
            instant(one["created_at"], zone=True),
            one.get("author") or "-",
            one.get("source") or "-",
            _changed(one),
        )
    session.console.print(rows)


def show_one(session: Session, kind: str, key: str, revision: int) -> None:
    """The document as it was, as YAML."""
    record = session.api.get(f"{_path(kind, key)}/revisions/{revision}")
    if not session.shown(record):
        sys.stdout.write(dump_yaml([record["definition"]]))


def restore(session: Session, kind: str, key: str, revision: int, *, dry_run: bool) -> None:
    """Put the document back, unless somebody else changes it meanwhile."""
    path = _path(kind, key)
    present = session.api.get(path)["status"]["revision"]
    old = session.api.get(f"{path}/revisions/{revision}")["definition"]
    answer = session.api.put(path, old, headers={"If-Match": f'"{present}"'}, dry_run=dry_run)
    if session.shown(answer):
        return
    change, console = answer["change"], session.console
    named = f"{change['kind']} {change['key']}"
    if change["action"] == "unchanged":
        console.print(f"{named} is as it was at revision {revision}.")
        return
    for entry in change.get("diff", ()):
        for line in difference(entry):
            console.print(line)
    for warning in answer.get("warnings", ()):
        console.print(Text(f"{warning.get('pointer', '')}: {warning['message']}", style="yellow"))
    if dry_run:
        console.print(f"{named} would be put back as it was at revision {revision} (dry run: nothing was written)")
    else:
        now = change["revision"]
        console.print(f"{named} is as it was at revision {revision}; this is revision {now}.", style="green")


def used_by(session: Session, kind: str, key: str) -> None:
    """What refers to a document, one reference a line."""
    answer = session.api.get(f"{_path(kind, key)}/used_by")
    if session.shown(answer):
        return
    if not answer["used_by"]:
        session.console.print(f"Nothing refers to {kind} {key}.")
        return
    rows = table("kind", "key", "at")
    for user in answer["used_by"]:
        rows.add_row(user["kind"], user["key"], user.get("pointer") or "/")
    session.console.print(rows)


def _path(kind: str, key: str) -> str:
    return f"/v1/definitions/{quote(kind, safe='')}/{quote(key, safe='')}"


def _changed(one: dict[str, Any]) -> str:
    """Which fields a revision changed, in one line."""
    diff: Sequence[dict[str, Any]] | None = one.get("diff")
    if diff is None:
        return "created" if one["revision"] == 1 else "-"
    paths = [entry["path"] or "/" for entry in diff]
    rest = len(paths) - MOST_PATHS
    return ", ".join(paths[:MOST_PATHS]) + (f" and {number(rest, 'field')} more" if rest > 0 else "")


__all__ = ["restore", "show", "show_one", "used_by"]
