"""What routes are handed: the parts of the process, the caller with the scope a route asks for, the present."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from api.limits import admit, app_class
from clock import system_now
from domain.errors import DomainError
from ingest.accept import Acceptor
from ingest.catalog import Catalogs
from services.access import Access, Caller, require, unauthorized
from services.dns_lookups import Lookups
from services.file_links import FileLinks
from services.health import Health
from services.rates import Rates
from services.rejections import Rejections
from services.transactional.accepting import SendAcceptor
from store import authors
from store.database import Database
from store.notify import Notifier

APP_KEY: Final = HTTPBearer(
    scheme_name="AppKey",
    description="An App API key, or a service-account token with the header `X-Workspace-Id`.",
    auto_error=False,
)
ACCOUNT_TOKEN: Final = HTTPBearer(
    scheme_name="AccountToken", description="A service-account token (`sa_live_...`).", auto_error=False
)
MAX_WORKSPACE: Final = 2**31 - 1


@dataclass(frozen=True)
class Parts:
    """What one API process is made of."""

    db: Database
    notifier: Notifier
    acceptor: Acceptor
    access: Access
    catalogs: Catalogs
    health: Health
    base_url: str
    version: str
    workflows_url: str | None = None
    region: str = "us"
    rates: Rates | None = None
    rejections: Rejections | None = None
    sends: SendAcceptor | None = None
    pipelines_reject_bad_keys: bool = False
    names: Lookups = field(default_factory=Lookups)
    file_links: FileLinks = field(default_factory=lambda: FileLinks(os.urandom(32), ""))


@dataclass(frozen=True)
class InWorkspace:
    """A caller in the workspace its call is about."""

    workspace_id: int
    caller: Caller


def parts(request: Request) -> Parts:
    """The parts of this process."""
    found: Parts = request.app.state.parts
    return found


def database(request: Request) -> Database:
    """The database."""
    return parts(request).db


def catalogs(request: Request) -> Catalogs:
    """The compiled definitions of this process."""
    return parts(request).catalogs


def basic_pair(header: str) -> tuple[str, str]:
    """User and password of a Basic header, in the usual or the URL-safe alphabet, padded or not (API-02)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise unauthorized()
    text = encoded.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        pair = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise unauthorized() from None
    user, colon, password = pair.partition(":")
    if not colon or not user or not password:
        raise unauthorized()
    return user, password


async def track_caller(request: Request) -> InWorkspace:
    """The caller behind the Track pair of the call."""
    caller = await parts(request).access.track(*basic_pair(request.headers.get("authorization", "")))
    assert caller.workspace_id is not None, "Track pairs belong to a workspace"
    await admit(request, caller, "track", f"Track API: {caller.name}")
    authors.note(caller.name)
    return InWorkspace(caller.workspace_id, caller)


async def bearer_caller(request: Request) -> Caller:
    """The caller behind the bearer token of the call."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized()
    caller = await parts(request).access.bearer(token.strip())
    await admit(request, caller, app_class(request))
    authors.note(caller.name)
    return caller


async def workspace_caller(request: Request) -> InWorkspace:
    """The caller and the workspace: that of an App key, else the one the header `X-Workspace-Id` names."""
    caller = await bearer_caller(request)
    if caller.workspace_id is not None:
        return InWorkspace(caller.workspace_id, caller)
    said = request.headers.get("x-workspace-id", "")
    if not (said.isascii() and said.isdecimal() and 0 < int(said[:12]) <= MAX_WORKSPACE):
        message = "With a service-account token, name the workspace in the header X-Workspace-Id."
        raise DomainError("invalid_parameter", message)
    return InWorkspace(int(said), caller)


async def member(
    needed: SecurityScopes,
    inside: Annotated[InWorkspace, Depends(workspace_caller)],
    _scheme: Annotated[Any, Security(APP_KEY)],
) -> InWorkspace:
    """The caller in its workspace, refused where its key lacks a scope that the route asks for."""
    require(inside.caller, needed.scopes)
    return inside


async def admin(
    caller: Annotated[Caller, Depends(bearer_caller)], _scheme: Annotated[Any, Security(ACCOUNT_TOKEN)]
) -> Caller:
    """A caller for the whole deployment."""
    if caller.workspace_id is not None:
        raise DomainError("forbidden_scope", "This takes a service-account token.")
    return caller


Db = Annotated[Database, Depends(database)]
Definitions = Annotated[Catalogs, Depends(catalogs)]
ProcessParts = Annotated[Parts, Depends(parts)]
Now = Annotated[datetime, Depends(system_now)]
Member = Annotated[InWorkspace, Security(member)]
"""Whoever has a key of the workspace; the route asks for scopes itself."""
Reading = Annotated[InWorkspace, Security(member, scopes=["read"])]
ReadingSensitive = Annotated[InWorkspace, Security(member, scopes=["read:sensitive"])]
Writing = Annotated[InWorkspace, Security(member, scopes=["write"])]
WritingLive = Annotated[InWorkspace, Security(member, scopes=["write:live"])]
Sending = Annotated[InWorkspace, Security(member, scopes=["send"])]
Admin = Annotated[Caller, Security(admin)]

__all__ = [
    "ACCOUNT_TOKEN",
    "APP_KEY",
    "Admin",
    "Db",
    "Definitions",
    "InWorkspace",
    "Member",
    "Now",
    "Parts",
    "ProcessParts",
    "Reading",
    "ReadingSensitive",
    "Sending",
    "Writing",
    "WritingLive",
    "basic_pair",
    "parts",
    "track_caller",
]
