"""Forms on somebody's pages: what is sent becomes facts, and a form that nobody knew is written down (API-33)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from domain.definitions import FormDefinition, read_definition
from domain.form_submissions import first_document, operations
from domain.track.calls import CallRefused, Fault, Rules
from ingest.accept import Acceptor
from ingest.catalog import Catalog, Catalogs
from services import definition_making as making
from services.definitions import workspace_of
from store.database import Database

LONGEST_ID: Final = 150
MOST_FORMS: Final = 1_000
"""How many forms a workspace has at most by itself: anybody may send one, and a page can be read by everybody."""
LONGEST_URL: Final = 2_000
_DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as somebody sent it; `url` is the page it was on, `parameters` are those of its address."""

    form_id: str
    fields: Mapping[str, str]
    url: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


class Forms:
    """Takes what forms of all workspaces send."""

    def __init__(self, db: Database, catalogs: Catalogs, acceptor: Acceptor) -> None:
        self._db = db
        self._catalogs = catalogs
        self._acceptor = acceptor

    async def take(self, workspace_id: int, sent: Sent, real_now: datetime) -> FormDefinition:
        """Accept one submission, and write down a form that is new; returns the form once both are committed.

        What is sent to a disconnected form is dropped. Raises CallRefused; a new form is kept all the same, so that its
        fields can be mapped.
        """
        if not sent.form_id.strip() or len(sent.form_id) > LONGEST_ID:
            message = f"form_id must be a text of 1 to {LONGEST_ID} characters"
            raise CallRefused([Fault("invalid", "form_id", message)])
        async with self._db.connection() as conn:
            catalog = await self._catalogs.get(conn, workspace_id)
        form = _known(catalog, sent.form_id) or await self._register(workspace_id, sent, real_now)
        if form.connected:
            facts = operations(form, sent.fields, _rules(catalog), url=_page(sent.url), parameters=sent.parameters)
            await self._acceptor.append(workspace_id, facts, f"Form: {form.shown_name}", real_now)
        return form

    async def _register(self, workspace_id: int, sent: Sent, real_now: datetime) -> FormDefinition:
        """The form as written down now, unless somebody else was faster."""
        async with self._db.transaction() as conn:
            rows = [row for row in await making.locked(conn, workspace_id) if row.kind == "form"]
            for row in rows:
                form = read_definition(row.document)[0]
                if isinstance(form, FormDefinition) and form.form_id == sent.form_id:
                    return form
            if len(rows) >= MOST_FORMS:
                message = "there is no such form, and the workspace has too many to make another"
                raise CallRefused([Fault("invalid", "form_id", message)])
            workspace = await workspace_of(conn, workspace_id)
            document = first_document(sent.form_id, sent.fields)
            now = workspace.now(real_now)
            row = await making.make(conn, workspace, document, named=sent.form_id, rows=rows, now=now)
        made = read_definition(row.document)[0]
        assert isinstance(made, FormDefinition), "what was checked can be read"
        return made


def may_lead_to(form: FormDefinition, address: str) -> bool:
    """Whether a form's sender may be sent on to this address: only to hosts that the form names."""
    if any(ord(char) < 33 or char in "\\\x7f" for char in address):
        return False
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").casefold(), parts.port
    except ValueError:
        return False
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return False
    plain = port is None or port == _DEFAULT_PORTS[parts.scheme]
    return (plain and host in form.success_hosts) or f"{host}:{port}" in form.success_hosts


def _known(catalog: Catalog, form_id: str) -> FormDefinition | None:
    forms = (entry.definition for entry in catalog.compiled.others.get("form", ()))
    return next((form for form in forms if isinstance(form, FormDefinition) and form.form_id == form_id), None)


def _rules(catalog: Catalog) -> Rules:
    settings = catalog.settings
    limits = settings.limits
    return Rules(settings.identifiers == "email_or_id", limits.attribute_value_bytes, limits.attributes_per_call)


def _page(url: str | None) -> str | None:
    """The address of the page, as far as it is one."""
    web = url is not None and url.startswith(("http://", "https://")) and len(url) <= LONGEST_URL
    return url if web else None


__all__ = ["Forms", "Sent", "may_lead_to"]
