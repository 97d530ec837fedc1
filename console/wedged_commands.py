"""The commands `journeys wedged` and `journeys restart`: who should have moved and has not, and starting them anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from console.failure import Failure
from console.session import print_json
from console.terminal import new_console
from settings import Settings

OlderThan = Annotated[int, typer.Option("--older-than", min=0, help="Only trouble of so many seconds.")]
WorkspaceId = Annotated[int | None, typer.Option("--workspace-id", help="Only this workspace.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


def add_to(journeys: typer.Typer) -> None:
    """Add the commands to the group `journeys`."""
    journeys.command("wedged")(journeys_wedged)
    journeys.command("restart")(journeys_restart)


def journeys_wedged(
    *,
    workspace_id: WorkspaceId = None,
    older_than: OlderThan = 60,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the journeys that should have moved and have not, and why; needs the database and Temporal."""
    from console import wedged

    console = new_console(stderr=as_json)
    found = wedged.find(Settings(), console, workspace_id, timedelta(seconds=older_than))
    if as_json:
        print_json(wedged.as_json(found, limit))
    else:
        wedged.show(console, found, limit)


def journeys_restart(
    *,
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of journeys, whatever state they are in.")] = None,
    all_wedged: Annotated[
        bool, typer.Option("--all-wedged", help="Everybody whom `journeys wedged` shows and a new start helps.")
    ] = False,
    workspace_id: WorkspaceId = None,
    older_than: OlderThan = 60,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """End the workflows of journeys in Temporal and start them anew from their rows: nobody is lost, nothing sent twice."""
    from console import wedged

    if bool(ids) == all_wedged:
        raise Failure("Say which: ids of journeys, or --all-wedged.", "`sojourn journeys wedged` shows them.")
    console = new_console(stderr=as_json)
    if ids:
        _sure(f"Start {wedged.journeys(len(ids))} anew?", yes=yes, asking=console.is_terminal)
        done = wedged.restart_each(Settings(), console, ids)
    else:
        found = wedged.find(Settings(), console, workspace_id, timedelta(seconds=older_than))
        wedged.summarise(console, found)
        helped = [one for one in found.wedged if one.restartable]
        if helped:
            _sure(f"Start {wedged.journeys(len(helped))} anew?", yes=yes, asking=console.is_terminal)
        done = wedged.restart_found(Settings(), console, helped)
    if as_json:
        print_json(done)
    else:
        wedged.told(console, done)
    if done.get("unknown") or done.get("refused"):
        raise typer.Exit(1)


def _sure(question: str, *, yes: bool, asking: bool) -> None:
    """Go on only where somebody agrees."""
    if yes:
        return
    if not asking:
        raise Failure("This starts journeys anew.", "Say so with --yes where nobody can be asked.")
    typer.confirm(question, abort=True)


__all__ = ["add_to"]
