"""The commands `import`, `export` and `tasks`: what each is called and takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from console.definition_commands import DefinitionsFirst
from console.failure import Failure
from console.session import Session, connected

export = typer.Typer(
    help="Definitions out of a workspace, and files; each waits until its file is there.", cls=DefinitionsFirst
)
tasks = typer.Typer(help="Long work: imports, exports, segments being built.", no_args_is_help=True)

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to save it; default: its own name, here.")]
Attributes = Annotated[str | None, typer.Option("--attributes", help="Only these, with commas between them.")]
Related = Annotated[bool, typer.Option("--relationships", help="Who belongs to what, as a second table.")]
By = Annotated[str, typer.Option("--by", help="What the identifier is: id, email or cio_id.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("import")(import_command)
    app.add_typer(export, name="export")
    app.add_typer(tasks, name="tasks")


@connected
def import_command(
    session: Session,
    *,
    file: Annotated[
        Path, typer.Argument(help="The CSV file, in UTF-8, with the names of the columns in its first row.")
    ],
    kind: Annotated[str, typer.Option("--type", help="people, event, object or relationship.")] = "people",
    identifier: Annotated[str | None, typer.Option("--identifier", help="Column by which people are named.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What the import is called; default: the file.")] = None,
    object_type: Annotated[int | None, typer.Option("--object-type", help="Number of the type of objects.")] = None,
    process: Annotated[str, typer.Option("--process", help="all, only_new or only_existing.")] = "all",
    clear: Annotated[bool, typer.Option("--clear-empty", help="Empty cells remove the attribute.")] = False,
    segment: Annotated[str | None, typer.Option("--segment", help="Manual segment to put the people into.")] = None,
    errors: Annotated[Path | None, typer.Option("--errors", help="Where to save the rows with errors.")] = None,
) -> None:
    """Import a CSV file; returns when every row is applied, with status 1 where some row was not."""
    from console.files import Upload, import_file

    described = {
        "name": name or file.name,
        "type": kind,
        "identifier": identifier or (None if kind == "object" else "id"),
        "object_type_id": object_type,
        "data_to_process": process,
        "empty_cells": "clear" if clear else None,
        "segment": segment,
    }
    raise typer.Exit(import_file(session, Upload(file, described, errors)))


@export.command("people")
@connected
def export_people(
    session: Session,
    segment: Annotated[
        str | None, typer.Option("--segment", help="Only members of this segment, by key or id.")
    ] = None,
    attributes: Attributes = None,
    relationships: Related = False,
    out: Out = None,
) -> None:
    """Export people with their attributes."""
    body: dict[str, Any] = {"relationships": relationships, **_chosen(attributes)}
    if segment is not None:
        body["filters"] = {"segment": {"id": _segment(session, segment)}}
    _export(session, "customers", body, out)


@export.command("deliveries")
@connected
def export_deliveries(
    session: Session,
    campaign: Annotated[int, typer.Option("--campaign", help="Number of the campaign.")],
    metric: Annotated[str | None, typer.Option("--metric", help="Only those that were opened, clicked, ...")] = None,
    attributes: Attributes = None,
    out: Out = None,
) -> None:
    """Export the messages of a campaign."""
    body = {"campaign_id": campaign, **_chosen(attributes), **({} if metric is None else {"metric": metric})}
    _export(session, "deliveries", body, out)


@export.command("journeys")
@connected
def export_journeys(
    session: Session,
    *,
    campaign: Annotated[str, typer.Option("--campaign", help="Key or number of the campaign.")],
    state: Annotated[str | None, typer.Option("--state", help="in_progress, finished or exited_early.")] = None,
    block: Annotated[str | None, typer.Option("--block", help="Only those standing at this block.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="What happened at each block, as a second table.")] = False,
    attributes: Attributes = None,
    out: Out = None,
) -> None:
    """Export the journeys of a campaign."""
    ref = int(campaign) if campaign.isdecimal() else campaign
    narrowed = {name: value for name, value in {"state": state, "block": block}.items() if value is not None}
    _export(session, "journeys", {"campaign": ref, "steps": steps, **narrowed, **_chosen(attributes)}, out)


@export.command("devices")
@connected
def export_devices(session: Session, out: Out = None) -> None:
    """Export all devices with their owners."""
    _export(session, "devices", {}, out)


@export.command("duplicates")
@connected
def export_duplicates(
    session: Session,
    attribute: Annotated[str, typer.Argument(help="Attribute whose value people share.")],
    out: Out = None,
) -> None:
    """Export people who share a value of an attribute."""
    _export(session, "duplicates", {"attribute": attribute}, out)


@export.command("segment-changes")
@connected
def export_segment_changes(
    session: Session, segment: Annotated[str, typer.Argument(help="Key or number of the segment.")], out: Out = None
) -> None:
    """Export who entered and who left a segment."""
    _export(session, "segment_changes", {"segment": int(segment) if segment.isdecimal() else segment}, out)


@export.command("person")
@connected
def export_person(
    session: Session, identifier: Annotated[str, typer.Argument(help="Whom.")], by: By = "id", out: Out = None
) -> None:
    """Export everything there is of one person."""
    if by not in ("id", "email", "cio_id"):
        raise Failure(f"A person is named by id, email or cio_id, not by {by}.")
    _export(session, "person", {by: identifier}, out)


@export.command("objects")
@connected
def export_objects(
    session: Session,
    object_type: Annotated[int, typer.Argument(help="Number of their type.")],
    attributes: Attributes = None,
    relationships: Related = False,
    out: Out = None,
) -> None:
    """Export the objects of one type."""
    body = {"object_type_id": object_type, "relationships": relationships, **_chosen(attributes)}
    _export(session, "objects", body, out)


@tasks.command("list")
@connected
def tasks_list(
    session: Session,
    state: Annotated[
        str | None, typer.Option("--state", help="queued, running, succeeded, failed or cancelled.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """List long work, newest first."""
    from console.files import list_tasks

    list_tasks(session, state=state, limit=limit)


@tasks.command("watch")
@connected
def tasks_watch(session: Session, task_id: Annotated[str, typer.Argument(help="Id of the task.")]) -> None:
    """Show how far a task is until it is over."""
    from console.files import watch

    task = watch(session, task_id)
    if not session.shown(task):
        session.console.print(f"{task_id} {task['state']}. {task['error'] or ''}".strip())
    raise typer.Exit(0 if task["state"] == "succeeded" else 1)


@tasks.command("cancel")
@connected
def tasks_cancel(session: Session, task_id: Annotated[str, typer.Argument(help="Id of the task.")]) -> None:
    """Stop an import or an export; what was done stays done."""
    from console.files import cancel_task

    cancel_task(session, task_id)


def _segment(session: Session, ref: str) -> int:
    """The number of the segment with this key."""
    if ref.isdecimal():
        return int(ref)
    number: int = session.api.get(f"/v1/definitions/segment/{ref}")["status"]["id"]
    return number


def _chosen(attributes: str | None) -> dict[str, Any]:
    names = [name.strip() for name in (attributes or "").split(",") if name.strip()]
    return {"attributes": names} if names else {}


def _export(session: Session, kind: str, body: dict[str, Any], out: Path | None) -> None:
    from console.files import export_file

    raise typer.Exit(export_file(session, kind, body, out))
