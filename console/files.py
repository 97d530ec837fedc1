"""`import`, `export` and `tasks`: files into a workspace and out of it, and long work with its progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from console.failure import Failure
from console.session import Session
from console.showing import table
from console.words import instant, number, work

PIECE = 256 * 1024
POLL = 0.3
BUSY = frozenset({"queued", "running"})
STYLES = {"queued": "yellow", "running": "yellow", "succeeded": "green", "failed": "bold red", "cancelled": "cyan"}


class Upload(NamedTuple):
    """A file to be imported, and how."""

    file: Path
    described: Mapping[str, Any]
    errors: Path | None = None


def import_file(session: Session, upload: Upload) -> int:
    """Send a file, watch its import, print what it came to; status 1 where it failed or some row did."""
    if not upload.file.is_file():
        raise Failure(f"There is no file {upload.file}.")
    _check_place(upload.errors)
    made = _sent(session, upload)["import"]
    watch(session, made["task_id"])
    answer = session.api.get(f"/v1/imports/{made['id']}")
    done = answer["import"]
    if upload.errors is not None and (done["rows_failed"] or done["rows_warned"]):
        report = session.api.raw(f"/v1/imports/{made['id']}/errors")
        with _written(upload.errors):
            upload.errors.write_bytes(report)
    if not session.shown(answer):
        _print_import(session, done, upload.errors)
    return 0 if done["state"] == "imported" and not done["rows_failed"] else 1


def _sent(session: Session, upload: Upload) -> dict[str, Any]:
    size = upload.file.stat().st_size
    columns = (TextColumn("Sending"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with _bars(session, *columns) as bars:
        sent = bars.add_task("Sending", total=size)

        def pieces() -> Iterator[bytes]:
            with upload.file.open("rb") as source:
                while piece := source.read(PIECE):
                    yield piece
                    bars.advance(sent, len(piece))

        return session.api.send("/v1/imports", pieces(), "text/csv", **upload.described)


def _print_import(session: Session, done: Mapping[str, Any], errors: Path | None) -> None:
    if done["state"] != "imported":
        session.console.print(Text(f"Import {done['id']} {done['state']}. {done['error']}".strip(), style="red"))
        return
    rows = number(done["rows_to_import"], "row")
    words = {
        "created": "rows_created",
        "updated": "rows_updated",
        "left alone": "rows_ignored",
        "failed": "rows_failed",
    }
    counts = ", ".join(f"{done[name]} {word}" for word, name in words.items() if done[name])
    style = "yellow" if done["rows_failed"] or done["rows_warned"] else "green"
    session.console.print(Text(f"Import {done['id']}: {rows}: {counts or 'nothing to do'}.", style=style))
    if done["rows_warned"]:
        session.console.print(Text(f"{number(done['rows_warned'], 'row')} with warnings.", style="yellow"))
    if done["rows_failed"] or done["rows_warned"]:
        where = (
            f"written to {errors}" if errors is not None else f"GET /v1/imports/{done['id']}/errors, or --errors FILE"
        )
        session.console.print(f"What is wrong with which row: {where}.")


def export_file(session: Session, kind: str, body: Mapping[str, Any], out: Path | None) -> int:
    """Have something exported, watch it, save the file; status 1 where it failed."""
    _check_place(out)
    made = session.api.post(f"/v1/exports/{kind}", body)["export"]
    watch(session, made["task_id"])
    answer = session.api.get(f"/v1/exports/{made['id']}")
    done = answer["export"]
    if done["status"] == "done":
        link = session.api.get(f"/v1/exports/{made['id']}/download")["link"]
        out = _saved(session, link, out)
    if session.shown(answer):
        return int(done["failed"])
    if done["failed"]:
        session.console.print(Text(f"Export {done['id']} failed. {done['error'] or ''}".strip(), style="red"))
        return 1
    session.console.print(Text(f"Export {done['id']}: {number(done['total'], 'line')} in {out}.", style="green"))
    return 0


def _saved(session: Session, link: str, out: Path | None) -> Path:
    """Save the file behind a link, under the name that the server gives it where nobody says another."""
    columns = (TextColumn("Receiving"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with _bars(session, *columns) as bars, session.api.stream(link) as answer:
        target = out or Path(answer.name)
        received = bars.add_task("Receiving", total=None)
        with _written(target), target.open("wb") as file:
            for piece in answer.pieces:
                file.write(piece)
                bars.advance(received, len(piece))
    return target


def _check_place(target: Path | None) -> None:
    """Say before anything is begun that a file cannot be saved there."""
    if target is None:
        return
    if target.is_dir():
        raise Failure(f"{target} cannot be written: it is a folder.")
    if not target.parent.is_dir():
        raise Failure(f"{target} cannot be written: there is no folder {target.parent}.")


@contextmanager
def _written(target: Path) -> Iterator[None]:
    """A file being saved; what the disk refuses is told in a sentence."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror or error}.") from None


def watch(session: Session, task_id: str, pause: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Return when a task is over, with a bar for how far it is; Ctrl-C leaves it running."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with _bars(session, *columns) as bars:
        shown = bars.add_task("Waiting", total=None)
        while True:
            task = session.api.get(f"/v1/tasks/{task_id}")
            progress = task["progress"]
            description = f"{work(task).capitalize()} ({task['state']})"
            bars.update(shown, description=description, completed=progress["done"], total=progress["total"])
            if task["state"] not in BUSY:
                return task
            pause(POLL)


def list_tasks(session: Session, *, state: str | None, limit: int) -> None:
    """Print long work, newest first."""
    found = list(session.api.listed("/v1/tasks", "tasks", limit=limit, state=state))
    if session.shown({"tasks": found}):
        return
    if not found:
        session.console.print("No tasks.")
        return
    rows = table("task", "what", "state", "progress", "begun", "ended", "")
    for task in found:
        progress = task["progress"]
        total = "" if progress["total"] is None else f" of {progress['total']}"
        rows.add_row(
            task["id"],
            work(task),
            Text(task["state"], style=STYLES.get(task["state"], "")),
            f"{progress['done']}{total}",
            instant(task["started_at"]),
            instant(task["ended_at"]),
            task["error"] or "",
        )
    session.console.print(rows)


def cancel_task(session: Session, task_id: str) -> None:
    """Stop an import or an export."""
    answer = session.api.post(f"/v1/tasks/{task_id}/cancel")
    if not session.shown(answer):
        session.console.print(f"Cancelled {task_id}; what was done stays done.", style="green")


@contextmanager
def _bars(session: Session, *columns: Any) -> Iterator[Progress]:
    """Progress for those who watch; nothing for a pipe."""
    quiet = session.as_json or not session.console.is_terminal
    with Progress(*columns, console=session.console, disable=quiet, transient=True) as bars:
        yield bars
