"""The commands `broadcasts ...`: list, start, stop, trigger, watch a trigger, pause, resume and cancel it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from console.failure import Failure
from console.session import Session, connected
from console.showing import table
from console.words import instant, number

broadcasts = typer.Typer(help="Broadcasts: what is sent to many when somebody asks for it.", no_args_is_help=True)

Ref = Annotated[str, typer.Argument(help="Key or id of the broadcast.")]
Number = Annotated[str, typer.Argument(help="Number of the trigger; default: the newest.")]
Data = Annotated[str | None, typer.Option("--data", help="JSON object that templates call `trigger`, or @file.")]
Ids = Annotated[str | None, typer.Option("--ids", help="Only these people, with commas between their ids.")]
Emails = Annotated[str | None, typer.Option("--emails", help="Only these people, with commas between their addresses.")]
File = Annotated[
    Path | None, typer.Option("--file", help='JSON lines of people: {"id": "7", "data": {...}}, up to 10,000.')
]
Skip = Annotated[bool, typer.Option("--ignore-missing", help="Leave out ids and addresses that nobody has.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return when the trigger is over; status 1 if it failed.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000, help="At most so many lines of errors.")]

BUSY: Final = frozenset({"queued", "processing", "sending"})
STYLES: Final = {"finished": "green", "failed": "bold red", "cancelled": "cyan", "sending": "yellow"}
POLL: Final = 0.5


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(broadcasts, name="broadcasts")


@broadcasts.command("list")
@connected
def list_broadcasts(session: Session) -> None:
    """List the broadcasts, oldest first."""
    answer = session.api.get("/v1/broadcasts")
    if session.shown(answer):
        return
    if not answer["broadcasts"]:
        session.console.print("No broadcasts.")
        return
    rows = table("broadcast", "id", "name", "state", "first started")
    for found in answer["broadcasts"]:
        style = "green" if found["active"] else ""
        started = instant(found["first_started"] or None)
        rows.add_row(found["key"], str(found["id"]), found["name"], Text(found["lifecycle"], style=style), started)
    session.console.print(rows)


@broadcasts.command("start")
@connected
def start(session: Session, broadcast: Ref) -> None:
    """Let a broadcast take triggers; nothing is sent by that alone."""
    _life(session, broadcast, "start")


@broadcasts.command("stop")
@connected
def stop(session: Session, broadcast: Ref) -> None:
    """Take no more triggers; those in the queue run to their end."""
    _life(session, broadcast, "stop")


@broadcasts.command("trigger")
@connected
def trigger(
    session: Session,
    broadcast: Ref,
    *,
    data: Data = None,
    ids: Ids = None,
    emails: Emails = None,
    file: File = None,
    ignore_missing: Skip = False,
    wait: Wait = False,
) -> None:
    """Send a broadcast now, to its own recipients unless others are named."""
    body: dict[str, Any] = {}
    if data is not None:
        body["data"] = _object(data)
    if ids is not None:
        body["ids"] = _words(ids)
    if emails is not None:
        body["emails"] = _words(emails)
    if file is not None:
        body["per_user_data"] = _lines(file)
    if ignore_missing:
        body |= {"id_ignore_missing": True, "email_ignore_missing": True}
    number_of = session.api.post(f"/v1/campaigns/{broadcast}/triggers", body)["id"]
    found = _watch(session, broadcast, str(number_of)) if wait else _status(session, broadcast, str(number_of))
    if not session.shown(found):
        _show(session, broadcast, found, 20)
    raise typer.Exit(1 if found["state"] == "failed" else 0)


@broadcasts.command("triggers")
@connected
def list_triggers(session: Session, broadcast: Ref, limit: Limit = 20) -> None:
    """List the triggers of a broadcast, newest first."""
    found = list(session.api.listed(f"/v1/broadcasts/{broadcast}/triggers", "triggers", limit=limit))
    if session.shown({"triggers": found}):
        return
    if not found:
        session.console.print("No triggers.")
        return
    rows = table("trigger", "state", "seen to", "recipients", "errors", "asked for", "ended")
    for one in found:
        rows.add_row(
            str(one["id"]),
            _state(one),
            str(one["position"]),
            str(one["recipients_count"]),
            str(one["error_count"]),
            instant(one["created_at"]),
            instant(one["ended_at"]),
        )
    session.console.print(rows)


@broadcasts.command("status")
@connected
def status(session: Session, broadcast: Ref, trigger: Number = "", *, watch: Wait = False, errors: Limit = 20) -> None:
    """Show how a trigger stands, with its errors; a bar for how far it is with --wait."""
    wanted = trigger or _newest(session, broadcast)
    found = _watch(session, broadcast, wanted) if watch else _status(session, broadcast, wanted)
    if not session.shown(found):
        _show(session, broadcast, found, errors)
    raise typer.Exit(1 if found["state"] == "failed" else 0)


@broadcasts.command("pause")
@connected
def pause(session: Session, broadcast: Ref, trigger: Number = "") -> None:
    """See to nobody further until it is resumed."""
    _steer(session, broadcast, trigger, "pause")


@broadcasts.command("resume")
@connected
def resume(session: Session, broadcast: Ref, trigger: Number = "") -> None:
    """Let a paused trigger go on."""
    _steer(session, broadcast, trigger, "resume")


@broadcasts.command("cancel")
@connected
def cancel(
    session: Session,
    broadcast: Ref,
    trigger: Number = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End a trigger: nobody further is seen to, and what is not handed over yet never leaves."""
    wanted = trigger or _newest(session, broadcast)
    if not yes:
        if not session.console.is_terminal:
            raise Failure(f"This ends trigger {wanted} of {broadcast}.", "Say so with --yes where nobody can be asked.")
        typer.confirm(f"End trigger {wanted} of {broadcast}?", abort=True)
    _steer(session, broadcast, wanted, "cancel")


def _life(session: Session, broadcast: str, verb: str) -> None:
    answer = session.api.post(f"/v1/broadcasts/{broadcast}/{verb}")
    if session.shown(answer):
        return
    for warning in answer.get("problems") or []:
        session.console.print(Text(f"{warning.get('pointer', '')}: {warning['message']}", style="yellow"))
    session.console.print(f"Broadcast {answer['key']} is {answer['state']}.", style="green")


def _steer(session: Session, broadcast: str, trigger: str, verb: str) -> None:
    wanted = trigger or _newest(session, broadcast)
    answer = session.api.post(f"/v1/broadcasts/{broadcast}/triggers/{wanted}/{verb}")
    if session.shown(answer):
        return
    found = answer["trigger"]
    session.console.print(Text.assemble(f"Trigger {found['id']} of {broadcast}: ", _state(found)))


def _newest(session: Session, broadcast: str) -> str:
    found = session.api.get(f"/v1/broadcasts/{broadcast}/triggers", limit=1)["triggers"]
    if not found:
        raise Failure(f"Nobody has triggered {broadcast} yet.", f"`sojourn broadcasts trigger {broadcast}` does.")
    return str(found[0]["id"])


def _status(session: Session, broadcast: str, trigger: str) -> dict[str, Any]:
    return session.api.get(f"/v1/campaigns/{broadcast}/triggers/{trigger}")


def _watch(session: Session, broadcast: str, trigger: str) -> dict[str, Any]:
    """Return when a trigger is over or paused, with a bar for how far it is; Ctrl-C leaves it running."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    hidden = session.as_json or not session.console.is_terminal
    with Progress(*columns, console=session.console, transient=True, disable=hidden) as bars:
        shown = bars.add_task("Queued", total=None)
        while True:
            found = _status(session, broadcast, trigger)
            total = found["recipients_count"] if found["processed_at"] else None
            bars.update(shown, description=found["state"].capitalize(), completed=found["position"], total=total)
            if found["state"] not in BUSY or found["paused"]:
                return found
            time.sleep(POLL)


def _show(session: Session, broadcast: str, found: dict[str, Any], most: int) -> None:
    """A trigger in words, with the first lines of its error report."""
    console = session.console
    console.print(Text.assemble((f"Trigger {found['id']} ", "bold"), _state(found)))
    if found["processed_at"]:
        console.print(f"{found['position']} of {number(found['recipients_count'], 'recipient')} seen to")
    if found["deliveries"]:
        console.print(", ".join(f"{count} {name}" for name, count in found["deliveries"].items()))
    if not found["error_count"]:
        return
    lines = session.api.get(f"/v1/campaigns/{broadcast}/triggers/{found['id']}/errors", limit=most)["errors"]
    for line in lines:
        console.print(Text(line, style="red"))
    if found["error_count"] > len(lines):
        console.print(f"and {found['error_count'] - len(lines)} more", style="dim")


def _state(found: dict[str, Any]) -> Text:
    word = str(found["state"])
    if found["paused"] and word in BUSY:
        return Text(f"{word}, paused", style="yellow")
    return Text(word, style=STYLES.get(word, ""))


def _object(text: str) -> Any:
    """The JSON object of an argument, or of the file that it names with an @."""
    try:
        if text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError) as error:
        raise Failure(f"--data is no JSON: {error}", """Like this: --data '{"headline": "News"}'""") from None
    if not isinstance(value, dict):
        raise Failure("--data is no JSON object.", """Like this: --data '{"headline": "News"}'""")
    return value


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _lines(file: Path) -> list[Any]:
    """The JSON values of a file, one a line."""
    found: list[Any] = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{file} cannot be read: {error}.") from None
    for place, line in enumerate(lines, start=1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise Failure(f"{file}, line {place}, is no JSON: {error}.") from None
    return found


__all__ = ["add_to"]
