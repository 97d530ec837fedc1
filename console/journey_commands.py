"""The commands `journeys blocks` and `journeys end-many`: where people stand, and taking many of them out."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from console.failure import Failure
from console.session import Session, connected
from console.showing import table
from console.words import number


def add_to(journeys: typer.Typer) -> None:
    """Add the commands to the group `journeys`."""
    journeys.command("blocks")(journeys_blocks)
    journeys.command("end-many")(journeys_end_many)


@connected
def journeys_blocks(
    session: Session, campaign: Annotated[str, typer.Argument(help="Key or id of the campaign.")]
) -> None:
    """Show how many stand at each block of a campaign, and how many passed, skipped or failed it."""
    answer = session.api.get(f"/v1/campaigns/{campaign}/blocks")
    if session.shown(answer):
        return
    whole = answer["journeys"]
    session.console.print(Text(answer["campaign"]["name"], style="bold").append(f"  {answer['campaign']['state']}"))
    session.console.print(
        f"{whole['started']} started, {whole['in_progress']} under way, {whole['finished']} finished, "
        f"{whole['exited_early']} left early"
    )
    rows = table("block", "", "stand here", "passed", "skipped", "failed", "drafted", "left here")
    for block in answer["blocks"]:
        kind = block["type"].replace("_", " ")
        counts = [block[name] for name in ("standing", "passed", "skipped", "failed", "drafted", "left")]
        rows.add_row(f"{'  ' * block['depth']}{block['name']}", kind, *[_count(count) for count in counts])
        for path in block["paths"]:
            rows.add_row(f"{'  ' * block['depth']}  > {path['name']}", "", "", _count(path["taken"]))
    for gone in answer["removed"]:
        rows.add_row(gone["key"], "removed", _count(gone["standing"]))
    session.console.print(rows)


@connected
def journeys_end_many(
    session: Session,
    *,
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of journeys, instead of a campaign.")] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="Everybody in this campaign, by key or id.")
    ] = None,
    block: Annotated[str | None, typer.Option("--block", help="Only who stands at this block.")] = None,
    started_before: Annotated[
        int | None, typer.Option("--started-before", help="Only who began before these Unix seconds.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take many people out of a campaign; returns when all are out."""
    from console.files import watch

    body: dict[str, Any] = {"ids": ids or None, "campaign": campaign, "block": block, "started_before": started_before}
    if isinstance(campaign, str) and campaign.isdecimal():
        body["campaign"] = int(campaign)
    whom = (
        number(len(ids), "journey")
        if ids
        else f"everybody in {campaign}" + (f" who stands at {block}" if block else "")
    )
    if not yes:
        if not session.console.is_terminal:
            raise Failure(f"This ends {whom}.", "Say so with --yes where nobody can be asked.")
        typer.confirm(f"End {whom}?", abort=True)
    task = session.api.post("/v1/journeys/end", {name: value for name, value in body.items() if value is not None})
    task = watch(session, task["id"])
    if not session.shown(task):
        session.console.print(f"Ended {number(task['progress']['done'], 'journey')}.", style="green")
    raise typer.Exit(0 if task["state"] == "succeeded" else 1)


def _count(count: int) -> str:
    return str(count) if count else "-"


__all__ = ["add_to"]
