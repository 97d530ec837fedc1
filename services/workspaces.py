"""Workspaces and the keys of their callers: made, renamed, revoked; a secret is shown once and never again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from domain.definitions import Definition
from domain.definitions.settings import WORKSPACE_KEY
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.values import to_unix
from services import definition_writes as writes
from services import definitions
from services.access import hash_secret
from services.definition_checks import check
from store import credentials as keys
from store import workspaces as store
from store.credentials import CredentialRow
from store.database import Connection, Database
from store.workspaces import WorkspaceDetails

Kind = Literal["track", "app", "pipelines"]
DELIVERY_KEY_BYTES: Final = 32
_SECRET_NAMES: Final[dict[str, str]] = {"track": "api_key", "app": "app_key", "pipelines": "write_key"}
_SECRET_BYTES: Final[dict[str, int]] = {"track": 10, "app": 16, "pipelines": 10}
_SITE_BYTES: Final = 10
CLIENT_SIDE: Final = "client_side"
BLOCKED_EVENTS: Final = "blocked_events"


@dataclass(frozen=True)
class Secrets:
    """The secrets a workspace begins with; those not given are drawn by chance."""

    site_id: str = field(default_factory=lambda: secrets.token_hex(_SITE_BYTES))
    api_key: str = field(default_factory=lambda: secrets.token_hex(_SECRET_BYTES["track"]))
    app_key: str = field(default_factory=lambda: secrets.token_hex(_SECRET_BYTES["app"]))
    write_key: str = field(default_factory=lambda: secrets.token_hex(_SECRET_BYTES["pipelines"]))
    delivery_key: bytes = field(default_factory=lambda: secrets.token_bytes(DELIVERY_KEY_BYTES))


async def create(
    db: Database, *, name: str, sandbox: bool, clock: datetime | None, settings: dict[str, Any] | None, now: datetime
) -> dict[str, Any]:
    """A new workspace with its first keys, secrets included; `clock` is where the time of a sandbox begins."""
    document = None if settings is None else _readable_settings(settings, sandbox=sandbox)
    async with db.transaction() as conn:
        workspace_id, made = await insert(conn, name=name, sandbox=sandbox, clock=clock, given=Secrets(), now=now)
        if document is not None:
            workspace = await definitions.workspace_of(conn, workspace_id)
            planned = await writes.plan(conn, workspace_id, document, None)
            here = workspace.now(now)
            await writes.write(conn, workspace, planned, source=None, waits="continue", now=here)
        shown = wire(_found(await store.details(conn, workspace_id), workspace_id))
    return {"workspace": shown, "credentials": made}


async def insert(
    conn: Connection, *, name: str, sandbox: bool, clock: datetime | None, given: Secrets, now: datetime
) -> tuple[int, list[dict[str, Any]]]:
    """Store a workspace and its first keys; returns its id and the keys with their secrets."""
    workspace_id = await store.create(
        conn, name=name, sandbox=sandbox, clock_now=clock, delivery_key=given.delivery_key, now=now
    )
    made = [
        await _insert_key(conn, workspace_id, "track", "Default", given.api_key, now=now, site_id=given.site_id),
        await _insert_key(conn, workspace_id, "app", "Default", given.app_key, now=now),
        await _insert_key(conn, workspace_id, "pipelines", "Default", given.write_key, now=now),
    ]
    return workspace_id, made


async def get(db: Database, workspace_id: int) -> dict[str, Any]:
    """One workspace; raises NotFound."""
    async with db.connection() as conn:
        return wire(_found(await store.details(conn, workspace_id), workspace_id))


async def listed(db: Database, only: int | None = None) -> list[dict[str, Any]]:
    """Every workspace, oldest first, or only one."""
    async with db.connection() as conn:
        return [wire(row) for row in await store.all_details(conn) if only in (None, row.workspace_id)]


async def change(db: Database, workspace_id: int, *, name: str | None, colour: str | None) -> dict[str, Any]:
    """Rename or recolour a workspace; None leaves as it is. Raises NotFound."""
    async with db.transaction() as conn:
        return wire(_found(await store.change(conn, workspace_id, name=name, colour=colour), workspace_id))


async def credentials(db: Database, workspace_id: int) -> list[dict[str, Any]]:
    """The keys of a workspace without secrets; raises NotFound."""
    async with db.connection() as conn:
        await definitions.workspace_of(conn, workspace_id)
        return [wire_key(row) for row in await keys.of_workspace(conn, workspace_id)]


async def create_credential(
    db: Database,
    workspace_id: int,
    *,
    kind: Kind,
    name: str,
    scopes: Sequence[str] | None,
    now: datetime,
    client_side: bool = False,
    blocked_events: Sequence[str] = (),
) -> dict[str, Any]:
    """A new key with its secret; one `client_side` is for browsers and apps (API-35). Raises NotFound.

    Events with the names of `blocked_events` are not taken from it (API-40).
    """
    async with db.transaction() as conn:
        await definitions.workspace_of(conn, workspace_id)
        secret = secrets.token_hex(_SECRET_BYTES[kind])
        site_id = secrets.token_hex(_SITE_BYTES) if kind == "track" else None
        settings: dict[str, Any] = {CLIENT_SIDE: True} if client_side else {}
        if blocked_events:
            settings[BLOCKED_EVENTS] = list(blocked_events)
        return await _insert_key(
            conn, workspace_id, kind, name, secret, now=now, site_id=site_id, scopes=scopes, settings=settings
        )


async def change_credential(
    db: Database,
    workspace_id: int,
    credential_id: int,
    *,
    name: str | None,
    client_side: bool | None = None,
    blocked_events: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Change a key, None leaves as it is; raises NotFound, and InvalidInput where only Pipelines keys have it."""
    said = {CLIENT_SIDE: client_side, BLOCKED_EVENTS: None if blocked_events is None else list(blocked_events)}
    settings = {setting: value for setting, value in said.items() if value is not None}
    async with db.transaction() as conn:
        row = await keys.change(conn, workspace_id, credential_id, name=name, settings=settings)
        if row is None:
            raise NotFound("credential", credential_id)
        if settings and row.kind != "pipelines":
            raise InvalidInput([only_pipelines(setting) for setting in settings])
    return wire_key(row)


def only_pipelines(setting: str) -> Problem:
    """The refusal of what only a Pipelines key can have, for another."""
    return Problem(code="not_applicable", pointer=f"/{setting}", message="Only Pipelines keys have this.")


async def revoke_credential(db: Database, workspace_id: int, credential_id: int) -> None:
    """Make a key worthless at once; raises NotFound, or DomainError `last_credential` for the last Track pair."""
    async with db.transaction() as conn:
        await store.lock(conn, workspace_id)
        rows = await keys.of_workspace(conn, workspace_id)
        row = next((row for row in rows if row.credential_id == credential_id), None)
        if row is None:
            raise NotFound("credential", credential_id)
        if row.kind == "track" and sum(other.kind == "track" for other in rows) == 1:
            message = "This is the last Track pair of the workspace: create another one first."
            raise DomainError("last_credential", message)
        await keys.delete(conn, workspace_id, credential_id)
        await store.bump_definitions(conn, workspace_id)


def wire(row: WorkspaceDetails) -> dict[str, Any]:
    """A workspace as it is answered."""
    return {
        "id": row.workspace_id,
        "name": row.name,
        "colour": row.colour,
        "sandbox": row.sandbox,
        "created_at": to_unix(row.created_at),
    }


def wire_key(row: CredentialRow) -> dict[str, Any]:
    """A key as it is answered, without its secret; scopes stand there only where they restrict it."""
    answer: dict[str, Any] = {"id": row.credential_id, "kind": row.kind, "name": row.name}
    if row.site_id is not None:
        answer["site_id"] = row.site_id
    if row.scopes is not None:
        answer["scopes"] = row.scopes
    if row.kind == "pipelines":
        answer["client_side"] = row.settings.get(CLIENT_SIDE) is True
        answer["blocked_events"] = row.settings.get(BLOCKED_EVENTS, [])
    used = None if row.last_used_at is None else to_unix(row.last_used_at)
    return answer | {"created_at": to_unix(row.created_at), "last_used_at": used}


async def _insert_key(
    conn: Connection,
    workspace_id: int,
    kind: Kind,
    name: str,
    secret: str,
    *,
    now: datetime,
    site_id: str | None = None,
    scopes: Sequence[str] | None = None,
    settings: dict[str, Any] | None = None,
) -> dict[str, Any]:
    row = CredentialRow(
        workspace_id=workspace_id,
        credential_id=await store.next_id(conn, workspace_id, "credential"),
        kind=kind,
        name=name,
        site_id=site_id,
        secret_hash=hash_secret(secret),
        scopes=None if scopes is None else list(scopes),
        created_at=now,
        last_used_at=None,
        settings=settings or {},
    )
    await keys.insert(conn, row)
    return wire_key(row) | {_SECRET_NAMES[kind]: secret}


def _readable_settings(settings: dict[str, Any], *, sandbox: bool) -> Definition:
    """The settings document a new workspace is to begin with; raises InvalidInput."""
    document = {"kind": "settings", "key": WORKSPACE_KEY, **settings}
    checked = check([("/settings", document)], [], sandbox=sandbox)
    checked.refuse()
    ((definition, _),) = checked.definitions
    return definition


def _found(row: WorkspaceDetails | None, workspace_id: int) -> WorkspaceDetails:
    if row is None:
        raise NotFound("workspace", workspace_id)
    return row


__all__ = [
    "Kind",
    "Secrets",
    "change",
    "change_credential",
    "create",
    "create_credential",
    "credentials",
    "get",
    "insert",
    "listed",
    "only_pipelines",
    "revoke_credential",
    "wire",
    "wire_key",
]
