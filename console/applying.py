"""`apply`, `diff` and `validate`: a folder of documents, what the server makes of it, what is wrong with it at which line."""

from __future__ import annotations

import difflib
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from console.api import Api
from console.documents import Source, read_sources
from console.failure import Failure, Refused
from console.session import Session
from console.words import number, work

MARKS = {"create": ("+", "green"), "update": ("~", "yellow"), "unchanged": ("=", "dim"), "delete": ("-", "red")}
_LINE_STYLES = {"+": "green", "-": "red"}
DIFFERENCES = 2
"""The status of `diff` where something differs."""
LONGEST = 80
POLL = 0.5
BUSY = frozenset({"queued", "running"})


@dataclass(frozen=True)
class Bundle:
    """The documents of a folder under the name of their source; with `prune` the source holds nothing else."""

    documents: Sequence[Source]
    source: str
    prune: bool = False

    @classmethod
    def of(cls, folder: Path, source: str | None, *, prune: bool = False) -> Bundle:
        """What a folder holds; where nobody says, the source is called as the folder."""
        return cls(read_sources(folder), source or source_name(folder), prune)

    def send(self, api: Api, *, dry_run: bool = False) -> dict[str, Any]:
        """Apply the documents as one bundle; raises Refused."""
        body = {"source": self.source, "definitions": [found.value for found in self.documents]}
        return api.put("/v1/definitions", body | ({"prune": True} if self.prune else {}), dry_run=dry_run)


def apply_folder(session: Session, bundle: Bundle, *, dry_run: bool, yes: bool, wait: bool) -> int:
    """Apply what a folder holds, print what changed; status 1 where the server refused it.

    Nothing is deleted that nobody has said yes to.
    """
    try:
        if bundle.prune and not dry_run and not yes:
            _ask(session, bundle)
        result = bundle.send(session.api, dry_run=dry_run)
    except Refused as refusal:
        return _refused(session, refusal, bundle.documents)
    if not session.shown(result):
        print_result(session.console, result, bundle.documents)
    if wait and not dry_run:
        wait_for_tasks(session)
    return 0


def diff_folder(session: Session, bundle: Bundle) -> int:
    """Print what applying a folder would change; status 2 where that is something, 1 where the server refuses it."""
    try:
        result = bundle.send(session.api, dry_run=True)
    except Refused as refusal:
        return _refused(session, refusal, bundle.documents)
    differing = [change for change in result["changes"] if change["action"] != "unchanged"]
    if session.shown(result):
        return DIFFERENCES if differing else 0
    if differing:
        print_result(session.console, result | {"changes": differing}, bundle.documents)
        return DIFFERENCES
    print_problems(session.console, result["warnings"], bundle.documents, style="yellow")
    session.console.print(f"No difference in {number(len(bundle.documents), 'document')}.", style="green")
    return 0


def _ask(session: Session, bundle: Bundle) -> None:
    """Have the deletions of a bundle agreed to; raises Failure where nobody can be asked."""
    changes = bundle.send(session.api, dry_run=True)["changes"]
    going = [f"{change['kind']} {change['key']}" for change in changes if change["action"] == "delete"]
    if not going:
        return
    what = number(len(going), "document")
    if session.as_json or not (session.console.is_terminal and sys.stdin.isatty()):
        raise Failure(f"This deletes {what}: {', '.join(going)}.", "Say so with --yes where nobody can be asked.")
    for name in going:
        session.console.print(f"- {name}", style="red")
    typer.confirm(f"Delete {what} and apply the rest?", abort=True)


def validate_folder(session: Session, folder: Path) -> int:
    """Print everything wrong with what a folder holds, without writing it; status 1 where it could not be applied."""
    sources = read_sources(folder)
    body = {"definitions": [found.value for found in sources]}
    report = session.api.post("/v1/definitions/validate", body)
    if session.shown(report):
        return 0 if report["valid"] else 1
    print_problems(session.console, report["errors"], sources)
    print_problems(session.console, report["warnings"], sources, style="yellow")
    count = number(len(sources), "document")
    if report["startable"]:
        session.console.print(f"{count}, all valid.", style="green")
    elif report["valid"]:
        session.console.print(f"{count}: can be saved; what is marked has to be mended before a start.", style="yellow")
    else:
        session.console.print(f"{count}: {number(len(report['errors']), 'problem')}.", style="red")
    return 0 if report["valid"] else 1


def source_name(folder: Path) -> str:
    """What the bundle of a folder is called where nobody says: the folder's own name."""
    return folder.resolve().name


def print_result(console: Console, result: dict[str, Any], sources: Sequence[Source]) -> None:
    """Every document with what happened to it, field by field where it changed."""
    for change in result["changes"]:
        mark, style = MARKS[change["action"]]
        revision = f"  revision {change['revision']}" if change["action"] == "update" else ""
        console.print(Text(f"{mark} {change['kind']} {change['key']}{revision}", style=style))
        for entry in change.get("diff", []):
            for line in difference(entry):
                console.print(line)
        if waiting := change.get("effects", {}).get("waiting_reevaluated"):
            console.print(f"    {number(waiting, 'waiting journey')} planned anew", style="yellow")
    print_problems(console, result.get("warnings", []), sources, style="yellow")
    counts = Counter(change["action"] for change in result["changes"])
    words = {"create": "created", "update": "updated", "unchanged": "unchanged", "delete": "deleted"}
    summary = ", ".join(f"{counts[action]} {word}" for action, word in words.items() if counts[action])
    console.print(f"{summary or 'nothing to do'}" + (" (dry run: nothing was written)" if result["dry_run"] else ""))


def print_problems(
    console: Console, problems: Sequence[dict[str, Any]], sources: Sequence[Source], style: str = "red"
) -> None:
    """Problems with the file and line of the field each one is about."""
    for problem in problems:
        place, title = located(problem.get("pointer", ""), sources)
        stage = " (before a start)" if problem.get("stage") == "start" else ""
        line = Text(f"{place} ", style="bold")
        line.append(f"{title}: " if title else "", style="dim")
        line.append(f"{problem['code']}{stage} ", style=style)
        line.append(problem["message"])
        console.print(line)
        for user in problem.get("referents", ()):
            console.print(Text(f"    {user['kind']} {user['key']} {user.get('pointer', '')}".rstrip(), style="dim"))


def located(pointer: str, sources: Sequence[Source]) -> tuple[str, str]:
    """File, line and title of what a pointer into a bundle names; the pointer itself where it names no document."""
    parts = pointer.split("/")
    if parts[:2] != ["", "definitions"] or len(parts) < 3 or not parts[2].isdecimal() or int(parts[2]) >= len(sources):
        return pointer or "/", ""
    source = sources[int(parts[2])]
    rest = "".join(f"/{part}" for part in parts[3:])
    return source.place(rest), f"{source.title} {rest}".strip()


def wait_for_tasks(session: Session, pause: Callable[[float], None] = time.sleep) -> None:
    """Return when nothing is being built any more, with a bar for everything that is."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=session.console, disable=session.as_json or not session.console.is_terminal
    ) as bars:
        shown: dict[str, Any] = {}
        while True:
            tasks = session.api.get("/v1/tasks", limit=200)["tasks"]
            for task in tasks:
                if task["state"] not in BUSY and task["id"] not in shown:
                    continue
                if task["id"] not in shown:
                    shown[task["id"]] = bars.add_task(work(task), total=None)
                progress = task.get("progress") or {}
                bars.update(shown[task["id"]], completed=progress.get("done", 0), total=progress.get("total"))
            if not any(task["state"] in BUSY for task in tasks):
                return
            pause(POLL)


def _refused(session: Session, refusal: Refused, sources: Sequence[Source]) -> int:
    """Print why the bundle was refused; what is not about documents is the caller's to print."""
    if refusal.status not in (409, 422):
        raise refusal
    if not session.shown({"errors": refusal.errors}):
        print_problems(session.console, refusal.errors, sources)
        session.console.print("Nothing was written: all documents of a bundle are applied, or none.", style="red")
    return 1


def difference(entry: dict[str, Any]) -> Iterator[Text]:
    """One field that differs: both sides in a line, texts of several lines line by line."""
    line = Text(f"    {entry['path'] or '/'}  ", style="dim")
    sides = [entry[side] for side in ("before", "after") if side in entry]
    if len(sides) == 2 and all(isinstance(side, str) for side in sides) and any("\n" in side for side in sides):
        old, new = (side.splitlines() for side in sides)
        told = list(itertools.islice(difflib.unified_diff(old, new, n=1, lineterm=""), 2, None))
        if told:
            yield line
            yield from (Text(f"      {one}", style=_LINE_STYLES.get(one[:1], "dim")) for one in told)
            return
    if "before" in entry:
        line.append(_short(entry["before"]), style="red")
    if len(sides) == 2:
        line.append(" -> ", style="dim")
    if "after" in entry:
        line.append(_short(entry["after"]), style="green")
    yield line


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
