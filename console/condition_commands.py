"""The command `conditions`: trying a condition on somebody, and counting whom it matches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from console.documents import read_sources
from console.failure import Failure
from console.session import Session, connected
from console.showing import table
from console.words import instant, person

conditions = typer.Typer(help="Try conditions without saving them.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A file with one condition, or with one segment, whose conditions it is.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(conditions, name="conditions")


@conditions.command("evaluate")
@connected
def evaluate(
    session: Session,
    file: File,
    customer: Annotated[str | None, typer.Option("--customer", help="Whom to try it on; default: nobody.")] = None,
    by: Annotated[str, typer.Option("--by", help="What the identifier is: id, email or cio_id.")] = "id",
    at: Annotated[int | None, typer.Option("--at", help="As of this Unix time instead of now.")] = None,
) -> None:
    """Say what a condition comes to for somebody, leaf by leaf."""
    context: dict[str, Any] = {} if customer is None else {"customer": {by: customer}}
    if at is not None:
        context["at"] = at
    found = session.api.post("/v1/conditions/evaluate", {"condition": _condition(file), "context": context})
    if session.shown(found):
        return
    session.console.print(_verdict(found["result"]), Text(found["reason"]))
    if found["next_check_at"] is not None:
        session.console.print(f"The clock may turn it at {instant(found['next_check_at'], zone=True)}.", style="dim")
    rows = table("leaf", "", "saw", "may turn", "")
    for leaf in found["leaves"]:
        saw = json.dumps(leaf["actual"], ensure_ascii=False)
        turn = instant(leaf["next_check_at"])
        rows.add_row(Text(leaf["pointer"]), _verdict(leaf["result"]), Text(saw), turn, Text(leaf["note"]))
    session.console.print(rows)


@conditions.command("estimate")
@connected
def estimate(
    session: Session,
    file: File,
    sample: Annotated[int, typer.Option("--sample", min=0, max=50, help="How many of them to show.")] = 10,
) -> None:
    """Count whom a condition matches now, and show some of them."""
    with session.busy("Counting"):
        found = session.api.post("/v1/conditions/estimate", {"condition": _condition(file), "sample": sample})
    if session.shown(found):
        return
    among = f"{found['looked_at']} people ({found['percent']} %)"
    session.console.print(f"{found['count']} of {among}", style="bold")
    if not found["complete"]:
        session.console.print(f"Not everybody was looked at: there are {found['total']} people.", style="yellow")
    for somebody in found["sample"]:
        session.console.print(Text(person(somebody)))


def _condition(file: Path) -> Any:
    """The condition in a file."""
    sources = read_sources(file)
    if len(sources) != 1:
        raise Failure(f"{file} holds {len(sources)} documents.", "Give a file with one condition or one segment.")
    value = sources[0].value
    return value.get("conditions") if isinstance(value, dict) and value.get("kind") == "segment" else value


def _verdict(result: bool) -> Text:
    return Text("met" if result else "not met", style="green" if result else "red")
