"""Which server and workspace a command talks to: options, then the environment, then the stack that runs here."""

from __future__ import annotations

from pathlib import Path

from console.api import Api
from console.failure import Failure
from console.stack_file import RunningStack, WorkspaceKeys

SERVICE_TOKEN = "sa_"  # noqa: S105 - how such tokens begin
DEFAULT_WORKSPACE = "sandbox"


def running_stack(data_dir: Path) -> RunningStack:
    """The stack that runs on this data folder."""
    found = RunningStack.read(data_dir)
    if found is None:
        raise Failure(
            f"No server runs here: there is no {data_dir / 'stack.json'}.",
            "Start one with `make up` or `make demo`, or name another with --url and --key (SOJOURN_URL, SOJOURN_KEY).",
        )
    return found


def workspace_keys(stack: RunningStack, wanted: str | None) -> WorkspaceKeys | None:
    """The built-in workspace called so: by id, by name, or `sandbox` and `live`; None for another one."""
    wanted = (wanted or DEFAULT_WORKSPACE).casefold()
    for keys in stack.workspaces:
        if wanted in (str(keys.id), keys.name.casefold(), "sandbox" if keys.sandbox else "live"):
            return keys
    return None


def open_workspace(url: str | None, key: str | None, workspace: str | None, data_dir: Path) -> Api:
    """The workspace that a command works on."""
    if url is None and key is None:
        stack = running_stack(data_dir)
        keys = workspace_keys(stack, workspace)
        if keys is not None:
            return Api(stack.api_url, keys.app_key)
        return _by_token(stack.api_url, stack.admin_token, workspace, None)
    ca_file = None
    if url is None:
        url = running_stack(data_dir).api_url
    elif (stack_here := RunningStack.read(data_dir)) is not None:
        ca_file = stack_here.ca_bundle_file
    if key is None:
        raise Failure(f"There is no key for {url}.", "Give an app key, or a service-account token: --key, SOJOURN_KEY.")
    if key.startswith(SERVICE_TOKEN):
        return _by_token(url, key, workspace, ca_file)
    if workspace is not None:
        raise Failure(
            f"The key given belongs to one workspace, so '{workspace}' cannot be chosen with it.",
            "Leave out --workspace (SOJOURN_WORKSPACE), or give a service-account token.",
        )
    return Api(url, key, ca_file=ca_file)


def open_account(url: str | None, key: str | None, data_dir: Path) -> Api:
    """The deployment as a whole, seen with its service-account token."""
    if url is None and key is None:
        stack = running_stack(data_dir)
        return Api(stack.api_url, stack.admin_token)
    if url is None or key is None:
        raise Failure("Both are needed here: --url and --key, a service-account token.")
    return Api(url, key)


def _by_token(url: str, token: str, workspace: str | None, ca_file: Path | None) -> Api:
    """A workspace seen with a service-account token, which has to say which one it means."""
    if workspace is None:
        raise Failure(
            "A service-account token sees every workspace.", "Say which one is meant: --workspace NAME or ID."
        )
    if workspace.isdecimal():
        return Api(url, token, workspace_id=int(workspace), ca_file=ca_file)
    with Api(url, token, ca_file=ca_file) as account:
        known = account.get("/v1/workspaces")["workspaces"]
    for found in known:
        if found["name"].casefold() == workspace.casefold():
            return Api(url, token, workspace_id=found["id"], ca_file=ca_file)
    names = ", ".join(f"{found['name']} ({found['id']})" for found in known)
    raise Failure(f"There is no workspace '{workspace}'.", f"There are: {names}.")
