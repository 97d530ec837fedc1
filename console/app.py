"""The command `sojourn`: what each command is called, takes and does."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.text import Text

from console import (
    broadcast_commands,
    condition_commands,
    definition_commands,
    file_commands,
    journey_commands,
    showing,
    wedged_commands,
)
from console.failure import Failure, Refused
from console.session import Session, connected, on_account, print_json
from console.target import running_stack, workspace_keys
from console.terminal import new_console
from secret_files import SecretFileError
from settings import Settings, told

EPILOG = "A stack started with `make up` is found by itself; any other server with --url and --key."

app = typer.Typer(
    help="Sojourn: people, segments, journeys and messages on PostgreSQL and Temporal.",
    epilog=EPILOG,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
campaign = typer.Typer(help="Start, stop and restart campaigns.", no_args_is_help=True)
clock = typer.Typer(help="The clock of a workspace; a sandbox's stands still until it is moved.", no_args_is_help=True)
people = typer.Typer(help="What happened to a person.", no_args_is_help=True)
journeys = typer.Typer(help="Journeys of people through campaigns.", no_args_is_help=True)
mailbox = typer.Typer(help="Messages that left, or would have left.", no_args_is_help=True)
workspaces = typer.Typer(help="The workspaces of the deployment.", no_args_is_help=True)
for name, group in {
    "campaign": campaign,
    "clock": clock,
    "people": people,
    "journeys": journeys,
    "mailbox": mailbox,
    "workspaces": workspaces,
}.items():
    app.add_typer(group, name=name)
definition_commands.add_to(app, file_commands.export)
file_commands.add_to(app)
journey_commands.add_to(journeys)
wedged_commands.add_to(journeys)
condition_commands.add_to(app)
broadcast_commands.add_to(app)

CampaignRef = Annotated[str, typer.Argument(help="Key or id of the campaign.")]
JourneyId = Annotated[str, typer.Argument(help="Id of the journey.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]
IdType = Annotated[str, typer.Option("--by", help="What the identifier is: id, email or cio_id.")]
Timeout = Annotated[float | None, typer.Option("--timeout", help="Seconds of real time to wait at most.")]


@app.command()
def up() -> None:
    """Run the whole server on this machine until Ctrl-C."""
    from stack.up import run_up

    raise typer.Exit(run_up(Settings()))


@app.command()
def demo() -> None:
    """Run the server, do its main job once before your eyes, keep it running until Ctrl-C."""
    from stack.demo import run_demo

    raise typer.Exit(run_demo(Settings()))


@app.command()
def setup(
    patience: Annotated[
        float, typer.Option("--patience", min=0, help="Seconds for which locks of others are tried for.")
    ] = 300.0,
) -> None:
    """Prepare the database and the Temporal cluster that the settings name; run it before every new version."""
    from console.preparing import prepare

    prepare(Settings(), new_console(), patience)


@app.command()
def retention(
    *,
    run: Annotated[bool, typer.Option("--run", help="Do all of the upkeep now, due or not.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Show what is kept for how long, the partitions and the upkeep; needs the database alone."""
    from console.retaining import show_retention

    show_retention(Settings(), new_console(), run=run, as_json=as_json)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Look at everything by the deployment's settings and explain what is sick.

    Status 0: all well; 1: something fails; 2: something is worth a look, or could not be looked at.
    """
    from console.doctoring import look

    raise typer.Exit(look(new_console(), as_json=as_json))


@app.command("after-restore")
def after_restore(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Make a database fit to go on that was restored or moved to another server; before any process starts."""
    from console.restoring import after_restore as make_fit

    done = make_fit(Settings(), new_console(stderr=as_json))
    if as_json:
        print_json(done._asdict())


@campaign.command("list")
@connected
def campaign_list(session: Session, limit: Limit = 100) -> None:
    """List the campaigns, newest first."""
    found = list(session.api.listed("/v1/definitions/campaign", "definitions", limit=limit, view="compact"))
    if not session.shown({"definitions": found}):
        showing.campaigns(session.console, found)


@campaign.command("start")
@connected
def campaign_start(session: Session, key: CampaignRef) -> None:
    """Let people into a campaign from now on."""
    _verb(session, key, "start", {})


@campaign.command("restart")
@connected
def campaign_restart(session: Session, key: CampaignRef) -> None:
    """Let people into a stopped campaign again."""
    _verb(session, key, "restart", {})


@campaign.command("stop")
@connected
def campaign_stop(
    session: Session,
    key: CampaignRef,
    exit_now: Annotated[bool, typer.Option("--exit", help="End journeys under way; else they run out.")] = False,
) -> None:
    """Let nobody into a campaign any more; who is inside finishes, or leaves at once with --exit."""
    _verb(session, key, "stop", {"journeys": "exit" if exit_now else "finish"})


@clock.command("show")
@connected
def clock_show(session: Session) -> None:
    """Show what time it is in the workspace and what is due next."""
    found = session.api.get("/v1/clock")
    if not session.shown(found):
        showing.clock(session.console, found)


@clock.command("advance")
@connected
def clock_advance(
    session: Session,
    by: Annotated[str | None, typer.Argument(help="How far: PT10M, P3D, or seconds.")] = None,
    to: Annotated[int | None, typer.Option("--to", help="Until this Unix time instead.")] = None,
    timeout: Timeout = None,
) -> None:
    """Move a sandbox's clock; everything due on the way happens at its own instant."""
    if (by is None) == (to is None):
        raise Failure("Say how far or until when: `sojourn clock advance P3D`, or --to UNIX_TIME.")
    moved: dict[str, object] = {"to": to} if by is None else {"by": int(by) if by.isdecimal() else by}
    _report(session, "/v1/clock/advance", moved, timeout, "Moving the clock")


@clock.command("settle")
@connected
def clock_settle(session: Session, timeout: Timeout = None) -> None:
    """Return when everything that can happen now has happened."""
    _report(session, "/v1/clock/settle", {}, timeout, "Settling")


@people.command("show")
@connected
def people_show(
    session: Session,
    identifier: Annotated[str, typer.Argument(help="Whom: the id, or with --by an email or cio_id.")],
    by: IdType = "id",
    limit: Limit = 50,
) -> None:
    """Show a person: attributes, segments, journeys and the newest part of the timeline."""
    path = f"/v1/customers/{identifier}"
    profile = session.api.get(f"{path}/attributes", id_type=by)["customer"]
    member_of = session.api.get(f"{path}/segments", id_type=by)["segments"]
    own = list(session.api.listed(f"{path}/journeys", "journeys", limit=limit, id_type=by))
    entries = list(session.api.listed(f"{path}/timeline", "timeline", limit=limit, id_type=by))
    if session.shown({"customer": profile, "segments": member_of, "journeys": own, "timeline": entries}):
        return
    showing.profile(session.console, profile, member_of)
    session.console.print()
    showing.journeys(session.console, own)
    session.console.print()
    showing.timeline(session.console, entries)


@journeys.command("list")
@connected
def journeys_list(
    session: Session,
    of: Annotated[str | None, typer.Option("--campaign", help="Only of this campaign.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="in_progress, finished or exited_early.")] = None,
    block: Annotated[str | None, typer.Option("--block", help="Only those standing at this block.")] = None,
    limit: Limit = 50,
) -> None:
    """List journeys, newest first."""
    found = list(session.api.listed("/v1/journeys", "journeys", limit=limit, campaign=of, state=state, block=block))
    if not session.shown({"journeys": found}):
        showing.journeys(session.console, found)


@journeys.command("show")
@connected
def journeys_show(session: Session, journey_id: JourneyId) -> None:
    """Show one journey, step by step."""
    answer = session.api.get(f"/v1/journeys/{journey_id}")
    if not session.shown(answer):
        showing.journey(session.console, answer["journey"])


@journeys.command("end")
@connected
def journeys_end(session: Session, journey_id: JourneyId) -> None:
    """Take the person out of the campaign."""
    answer = session.api.post(f"/v1/journeys/{journey_id}/end")
    if not session.shown(answer):
        session.console.print(f"Ended {journey_id}.", style="green")


@journeys.command("repair")
def journeys_repair(
    workspace_id: Annotated[int | None, typer.Option("--workspace-id", help="Only this workspace.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Start the workflow of every journey under way that Temporal does not know; needs the database and Temporal."""
    from console.repairing import repair

    done = repair(Settings(), new_console(stderr=as_json), workspace_id)
    if as_json:
        print_json(done._asdict())


@mailbox.command("list")
@connected
def mailbox_list(
    session: Session,
    to: Annotated[str | None, typer.Option("--to", help="Only to this address.")] = None,
    limit: Limit = 50,
) -> None:
    """List received messages, oldest first."""
    found = list(session.api.listed("/v1/mailbox", "messages", limit=limit, to=to))
    if not session.shown({"messages": found}):
        showing.messages(session.console, found)


@mailbox.command("show")
@connected
def mailbox_show(
    session: Session,
    message_id: Annotated[str, typer.Argument(help="Id of the message, as `mailbox list` shows it.")],
    source: Annotated[bool, typer.Option("--source", help="Print the message as it went over the wire.")] = False,
) -> None:
    """Show one received message."""
    raw = session.api.raw(f"/v1/mailbox/{message_id}/raw")
    if source or session.as_json:
        sys.stdout.write(raw.decode(errors="replace"))
    else:
        showing.mime(session.console, raw)


@workspaces.command("list")
@on_account
def workspaces_list(session: Session) -> None:
    """List the workspaces."""
    answer = session.api.get("/v1/workspaces")
    if not session.shown(answer):
        showing.workspaces(session.console, answer["workspaces"])


@workspaces.command("create")
@on_account
def workspaces_create(
    session: Session,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    sandbox: Annotated[bool, typer.Option("--sandbox", help="With a clock of its own and a mailbox.")] = False,
    now: Annotated[int | None, typer.Option("--now", help="Unix time at which a sandbox begins.")] = None,
) -> None:
    """Make a workspace with its first credentials."""
    body: dict[str, object] = {"name": name, "sandbox": sandbox}
    if now is not None:
        body["now"] = now
    answer = session.api.post("/v1/workspaces", body)
    if not session.shown(answer):
        made = answer["workspace"]
        session.console.print(f"Workspace {made['id']} '{made['name']}'", style="green")
        showing.credentials(session.console, answer["credentials"])


Workspace = Annotated[
    str | None, typer.Option("--workspace", "-w", envvar="SOJOURN_WORKSPACE", help="Which workspace.")
]


@app.command()
def token(
    workspace: Workspace = None,
    admin: Annotated[bool, typer.Option("--admin", help="The service-account token instead of an app key.")] = False,
) -> None:
    """Print the key of the stack that runs here, for `curl -H "Authorization: Bearer $(sojourn token)"`."""
    stack = running_stack(Settings().data_dir)
    keys = workspace_keys(stack, workspace)
    if keys is None and not admin:
        names = ", ".join(found.name for found in stack.workspaces)
        raise Failure(f"'{workspace}' is not built in.", f"Built in are {names}; other keys are shown once, when made.")
    print(stack.admin_token if admin or keys is None else keys.app_key)  # noqa: T201 - it is what the command is for


@app.command()
def env(
    workspace: Workspace = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Print the running stack's addresses and keys for a shell: `eval "$(sojourn env)"`."""
    stack = running_stack(Settings().data_dir)
    keys = workspace_keys(stack, workspace)
    if keys is None:
        names = ", ".join(found.name for found in stack.workspaces)
        raise Failure(f"'{workspace}' is not built in.", f"Built in are {names}.")
    port = stack.api_tls_url.rsplit(":", 1)[1]
    variables = {
        "API_URL": stack.api_url,
        "APP_KEY": keys.app_key,
        "SITE_ID": keys.site_id,
        "API_KEY": keys.api_key,
        "TRACK_HOST": "localhost",
        "TRACK_PORT": port,
        "REQUESTS_CA_BUNDLE": str(stack.ca_bundle_file),
        "SSL_CERT_FILE": str(stack.ca_bundle_file),
        "NODE_EXTRA_CA_CERTS": str(stack.ca_file),
    }
    if as_json:
        print_json(variables)
    else:
        for variable, value in variables.items():
            print(f"export {variable}={shlex.quote(value)}")  # noqa: T201 - it is what the command is for


def _verb(session: Session, key: str, verb: str, body: dict[str, object]) -> None:
    """Ask for a verb on a campaign and print the state it is in now."""
    status = session.api.post(f"/v1/campaigns/{key}/{verb}", body)
    if session.shown(status):
        return
    for warning in status.get("problems", []):
        session.console.print(Text(f"{warning.get('pointer', '')}: {warning['message']}", style="yellow"))
    session.console.print(f"Campaign {status['key']} is {status['state']}.", style="green")


def _report(session: Session, path: str, body: dict[str, object], timeout: float | None, what: str) -> None:
    """Ask for a clock report and print it; one that came too late says what is pending."""
    if timeout is not None:
        body["timeout_seconds"] = timeout
    with session.busy(what):
        report = session.api.post(path, body)
    if not session.shown(report):
        showing.clock_report(session.console, report)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its status; failures are told in words and have status 1."""
    console = new_console(stderr=True)
    try:
        app(arguments, standalone_mode=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Failure as failure:
        for line in _told(failure):
            console.print(line)
        return 1
    except (ValidationError, SecretFileError) as error:
        for problem in told(error):
            console.print(Text(problem, style="bold red"))
        return 1
    return 0


def _told(failure: Failure) -> list[Text]:
    lines = [Text(failure.message, style="bold red")]
    if isinstance(failure, Refused):
        lines = []
        for error in failure.errors:
            where = f"{error['pointer']}: " if error.get("pointer") else ""
            lines.append(
                Text(f"{where}{error.get('message', '')} ({error.get('code', failure.status)})", style="bold red")
            )
            users = [f"  used by {user['kind']} {user['key']}" for user in error.get("referents", [])]
            lines += [Text(user, style="red") for user in users]
        lines = lines or [Text(failure.message, style="bold red")]
    return [*lines, Text(failure.hint, style="yellow")] if failure.hint else lines
