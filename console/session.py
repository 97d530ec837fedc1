"""What every command that asks a server shares: its options, its connection, its way of printing."""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import Parameter
from typing import Annotated, Any, Concatenate, ParamSpec

import typer
from rich.console import Console

from console.api import Api
from console.target import open_account, open_workspace
from console.terminal import new_console
from secret_files import with_files
from settings import Settings

P = ParamSpec("P")

UrlOption = Annotated[
    str | None, typer.Option("--url", envvar="SOJOURN_URL", help="Server to ask; default: the stack that runs here.")
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", envvar="SOJOURN_KEY", help="App key, or a service-account token.", show_envvar=True),
]
WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace", "-w", envvar="SOJOURN_WORKSPACE", help="Name or id; of a local stack also `sandbox`, `live`."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what the server answered, for machines.")]


@dataclass(frozen=True)
class Session:
    """One command at work: the workspace it sees and where it prints."""

    api: Api
    console: Console
    as_json: bool

    def shown(self, answer: Any) -> bool:
        """Whether the answer was printed as JSON, so that there is nothing left to print."""
        if self.as_json:
            print_json(answer)
        return self.as_json

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """A spinner while something takes its time; nothing where nobody watches."""
        if self.as_json or not self.console.is_terminal:
            yield
        else:
            with self.console.status(what):
                yield


def print_json(answer: Any) -> None:
    """An answer for machines."""
    print(json.dumps(answer, indent=2, ensure_ascii=False))  # noqa: T201 - it is what the command is for


def connected(command: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """A command on one workspace: it gains --url, --key, --workspace and --json."""
    return _with_options(command, account=False)


def on_account(command: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """A command on the deployment as a whole: it gains --url, --key and --json."""
    return _with_options(command, account=True)


def _with_options(command: Callable[..., None], *, account: bool) -> Callable[..., None]:
    @functools.wraps(command)
    def run(
        server_url: str | None, access_key: str | None, as_json: bool, workspace: str | None = None, **given: Any
    ) -> None:
        data_dir = Settings().data_dir
        access_key = access_key or with_files(os.environ, ("SOJOURN_KEY",)).get("SOJOURN_KEY")
        if account:
            opened = open_account(server_url, access_key, data_dir)
        else:
            opened = open_workspace(server_url, access_key, workspace, data_dir)
        with opened as api:
            command(Session(api, new_console(), as_json), **given)

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared: list[tuple[str, Any, Any]] = [("server_url", UrlOption, None), ("access_key", KeyOption, None)]
    if not account:
        shared.append(("workspace", WorkspaceOption, None))
    shared.append(("as_json", JsonOption, False))
    added = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind) for name, kind, default in shared
    ]
    parameters = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own] + added
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del run.__wrapped__
    return run
