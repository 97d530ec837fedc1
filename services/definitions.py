"""Definitions: apply many or none, put one, read, list, delete, validate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from pydantic import ValidationError

from domain.definitions import (
    KINDS,
    CampaignDefinition,
    DomainDefinition,
    ProviderDefinition,
    read_definition,
    unknown_kind,
)
from domain.definitions.bundle import Bundle
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.secrets import masked
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.problems import from_validation_error
from domain.values import to_unix
from services import (
    collections,
    domains,
    journeys,
    layout_uses,
    object_types,
    private_urls,
    schedules,
    snippet_uses,
    tasks,
    workflow_checks,
)
from services import definition_checks as checks
from services import definition_writes as writes
from services.broadcasts import ends
from services.definition_writes import RemovedWaits
from services.sender_checks import senders_within
from store import definitions as store
from store import domain_checks, drafts, workspaces
from store import schedules as schedule_store
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

View = Literal["full", "compact"]
SEARCH_PAGE = 200
WEBHOOKS: Final = "/v1/webhooks/campaigns/"
"""Where the URLs of webhook campaigns begin."""
AUTOMATIONS: Final = ("campaign", "broadcast")
"""Kinds that have blocks, drafts and a life."""
_MEMBERS = {"segment": "segment", "campaign": "trigger"}
"""Which memberships go with a definition, in a task: there may be as many as people."""


async def apply(
    db: Database, workspace_id: int, body: Any, *, source: str | None = None, dry_run: bool = False, now: datetime
) -> dict[str, Any]:
    """Create or update every document of a bundle in one transaction, or (dry run) say what that would do.

    `body` is the bundle as received; `source` stands in where it names none. Raises InvalidInput with everything wrong,
    DomainError `locked` where only that stands in the way.
    """
    bundle = read_bundle(body)
    raws = [(f"/definitions/{index}", raw) for index, raw in enumerate(bundle.definitions)]
    changes, checked = await _apply(
        db, workspace_id, raws, source=bundle.source or source, dry_run=dry_run, waits="continue", now=now
    )
    return {
        "dry_run": dry_run,
        "changes": [change.wire() for change in changes],
        "warnings": [wire_problem(warning) for warning in checked.warnings],
    }


async def put_one(
    db: Database,
    workspace_id: int,
    kind: str,
    ref: str | int,
    raw: Any,
    *,
    dry_run: bool = False,
    removed_waits: RemovedWaits = "continue",
    now: datetime,
) -> tuple[dict[str, Any], bool]:
    """Create or replace the document named by kind and key (or id); returns the answer and whether it is new."""
    _known(kind)
    key = ref if isinstance(ref, str) else (await _stored(db, workspace_id, kind, ref)).key
    body = _named(raw, kind, key)
    changes, checked = await _apply(
        db, workspace_id, [("", body)], source=None, dry_run=dry_run, waits=removed_waits, now=now
    )
    (change,) = changes
    row = change.row
    answer: dict[str, Any] = {"change": change.wire()}
    async with db.connection() as conn:
        answer["status"] = await status(conn, row) if row is not None else {**_names(kind, key), "id": 0, "revision": 0}
    answer["warnings"] = [wire_problem(warning) for warning in checked.warnings]
    return answer, change.action == "create" and not dry_run


async def validate(db: Database, workspace_id: int, body: Any, *, now: datetime) -> dict[str, Any]:
    """Everything wrong with a document or a bundle in this workspace; problems refuse nothing here."""
    try:
        if isinstance(body, dict) and "definitions" in body and "kind" not in body:
            raws = [(f"/definitions/{index}", raw) for index, raw in enumerate(read_bundle(body).definitions)]
        else:
            raws = [("", body)]
        async with db.connection() as conn:
            workspace = await workspace_of(conn, workspace_id)
            rows = await store.load_all(conn, workspace_id)
            private = await private_urls.allowed_in(conn, workspace)
            checked = checks.check(raws, rows, sandbox=workspace.sandbox, private=private)
            await check_more(conn, workspace, checked, now)
        errors, warnings = checked.errors, checked.warnings
    except InvalidInput as refusal:
        errors, warnings = refusal.problems, []
    return {
        "valid": all(problem.stage != "save" for problem in errors),
        "startable": not errors,
        "errors": [wire_problem(problem) for problem in errors],
        "warnings": [wire_problem(warning) for warning in warnings],
    }


async def get(db: Database, workspace_id: int, kind: str, ref: str | int, view: View = "full") -> dict[str, Any]:
    """One document with its status, of a webhook campaign with the payload that it received as a draft; raises NotFound."""
    row = await _stored(db, workspace_id, kind, ref)
    async with db.connection() as conn:
        document = await collections.filled(conn, row, shown(row, view))
        answer = await status(conn, row)
        sample = await store.sample_of(conn, workspace_id, row.definition_id) if "webhook_url" in answer else None
    return {"definition": document, "status": answer if sample is None else answer | {"sample": sample}}


async def list_page(
    db: Database,
    workspace_id: int,
    kind: str,
    *,
    start: str | None = None,
    limit: int = 50,
    search: str | None = None,
    state: str | None = None,
    tag: str | None = None,
    trigger: str | None = None,
    object_type: str | int | None = None,
    view: View = "full",
) -> dict[str, Any]:
    """One page of a kind, newest first; `next` is empty after the last page. `object_type` is one that documents refer to."""
    _known(kind)
    before = _cursor(start)
    found: list[DefinitionRow] = []
    async with db.connection() as conn:
        named = await _names_of_type(conn, workspace_id, object_type)
        while len(found) <= limit:
            size = limit + 1 if search is None and named is None else SEARCH_PAGE
            rows = await store.page(
                conn, workspace_id, kind, before=before, limit=size, state=state, tag=tag, trigger=trigger
            )
            rest = [row for row in rows if named is None or _is_about(row, named)]
            found += [row for row in rest if search is None or _mentions(row, search.casefold())]
            if len(rows) < size:
                break
            before = rows[-1].definition_id
        shown_rows = found[: await collections.fitting(conn, found[:limit])]
        now_so = await _now_so(conn, workspace_id, shown_rows)
        documents = [await collections.filled(conn, row, shown(row, view)) for row in shown_rows]
    records = [
        {"definition": document, "status": status_of(row, now_so)}
        for document, row in zip(documents, shown_rows, strict=True)
    ]
    return {"definitions": records, "next": str(shown_rows[-1].definition_id) if len(found) > len(shown_rows) else ""}


async def delete(db: Database, workspace_id: int, kind: str, ref: str | int, *, now: datetime) -> None:
    """Remove a document for good; a campaign's journeys end first.

    Raises NotFound, or DomainError `in_use` with the referents.
    """
    _known(kind)
    if kind == "campaign":
        await _empty(db, workspace_id, ref, now)
    async with db.transaction() as conn:
        workspace, row = await _removable(conn, workspace_id, kind, ref)
        if kind == "campaign":
            # Whoever was entering while the campaign was emptied is met by the task.
            await journeys.end_all_of_campaign(conn, workspace, row.definition_id, "deleted", workspace.now(now))
            await schedule_store.drop(conn, workspace_id, row.definition_id)
        await store.delete(conn, workspace_id, kind, row.definition_id)
        if kind == "settings":
            await writes.follow_identifiers(conn, workspace_id, row.document, {}, workspace.now(now))
        elif kind == "collection":
            await collections.forget(conn, workspace_id, row.definition_id)
        elif kind == "broadcast":
            await ends.end(conn, row, workspace.now(now))
        elif kind == "domain":
            await domain_checks.forget(conn, workspace_id, row.definition_id)
        elif kind == "object_type":
            await object_types.retire(conn, workspace_id, row.definition_id, workspace.now(now))
        members = _MEMBERS.get(kind)
        if members is not None:
            payload = {"kind": members, "ref_id": row.definition_id}
            await tasks.create(conn, workspace_id, "purge_memberships", payload, now=workspace.now(now))
        await workspaces.bump_definitions(conn, workspace_id)


async def _removable(
    conn: Connection, workspace_id: int, kind: str, ref: str | int
) -> tuple[WorkspaceRow, DefinitionRow]:
    await store.lock(conn, workspace_id)
    workspace = await workspace_of(conn, workspace_id)
    rows = await store.load_all(conn, workspace_id)
    row = next((r for r in rows if r.kind == kind and ref in (r.key, r.definition_id)), None)
    if row is None:
        raise NotFound(kind, ref)
    _refuse_if_used(rows, row)
    return workspace, row


async def _empty(db: Database, workspace_id: int, ref: str | int, now: datetime) -> None:
    """Let nobody into the campaign any more and end who is inside, a transaction a page: people are locked for it."""
    async with db.transaction() as conn:
        workspace, row = await _removable(conn, workspace_id, "campaign", ref)
        if row.state in LIVE_STATES:
            await store.set_state(conn, workspace_id, "campaign", row.definition_id, "stopped")
            await workspaces.bump_definitions(conn, workspace_id)
    await journeys.end_all(db, workspace, row.definition_id, "deleted", workspace.now(now))


def read_bundle(body: Any) -> Bundle:
    """The bundle a body means; raises InvalidInput."""
    if not isinstance(body, dict):
        raise InvalidInput([Problem(code="type", message="A bundle is an object with a list of definitions.")])
    try:
        return Bundle.model_validate(body)
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, body)) from None


async def workspace_of(conn: Connection, workspace_id: int) -> WorkspaceRow:
    """The workspace; raises NotFound."""
    workspace = await workspaces.get(conn, workspace_id)
    if workspace is None:
        raise NotFound("workspace", workspace_id)
    return workspace


def shown(row: DefinitionRow, view: View = "full") -> dict[str, Any]:
    """The document as it is answered: canonical or compact, secrets hidden."""
    definition = read_definition(row.document)[0] if view == "compact" else None
    document = definition.wire(compact=True) if definition is not None else row.document
    return masked(document, KINDS[row.kind].secrets if row.kind in KINDS else ())


class NowSo(NamedTuple):
    """What is so of campaigns beside their rows: journeys under way and drafts, and which the clock will start or stop."""

    active: Mapping[int, int] = {}
    drafts: Mapping[int, int] = {}
    scheduled: frozenset[int] = frozenset()
    transactional: Mapping[int, int] = {}
    """Drafts by transactional message."""


NOTHING_BESIDE: Final = NowSo()


async def status(conn: Connection, row: DefinitionRow) -> dict[str, Any]:
    """The server's side of a definition as it is now."""
    answer = status_of(row, await _now_so(conn, row.workspace_id, [row]))
    return answer | await domains.found_of(conn, row) if row.kind == "domain" else answer


def status_of(row: DefinitionRow, now_so: NowSo = NOTHING_BESIDE) -> dict[str, Any]:
    """The server's side of a definition; of a campaign with what is so beside its row.

    `webhook_url` is a path: who answers says at which address.
    """
    answer: dict[str, Any] = {
        **_names(row.kind, row.key),
        "id": row.definition_id,
        "revision": row.revision,
        "created_at": to_unix(row.created_at),
        "updated_at": to_unix(row.updated_at),
        "source": row.source,
    }
    if row.state is not None:
        answer["state"] = row.state
    if row.kind in AUTOMATIONS:
        answer |= {
            "version": row.version,
            "first_started": None if row.first_started is None else to_unix(row.first_started),
            "actions": row.actions,
            "drafts": now_so.drafts.get(row.definition_id, 0),
        }
    if row.kind == "transactional":
        answer["drafts"] = now_so.transactional.get(row.definition_id, 0)
    if row.kind == "campaign":
        answer |= {
            "scheduled": row.definition_id in now_so.scheduled,
            "active_journeys": now_so.active.get(row.definition_id, 0),
        }
        if row.webhook_token is not None and row.document.get("trigger", {}).get("type") == "webhook":
            answer["webhook_url"] = f"{WEBHOOKS}{row.webhook_token}"
        if row.schedule_problems:
            answer["problems"] = row.schedule_problems
    return answer


def wire_problem(problem: Problem) -> dict[str, Any]:
    """A problem in the shape of the error envelope; the stage is told only where it is not `save`."""
    answer: dict[str, Any] = {"pointer": problem.pointer, "code": problem.code, "message": problem.message}
    if problem.stage != "save":
        answer["stage"] = problem.stage
    if problem.referents:
        answer["referents"] = [referent.model_dump() for referent in problem.referents]
    return answer


async def _apply(
    db: Database,
    workspace_id: int,
    raws: Sequence[tuple[str, Any]],
    *,
    source: str | None,
    dry_run: bool,
    waits: RemovedWaits,
    now: datetime,
) -> tuple[list[writes.Change], checks.Checked]:
    contents = {} if dry_run else await collections.fetched(db, workspace_id, raws)
    async with db.transaction() as conn:
        if not dry_run:
            await store.lock(conn, workspace_id)
        workspace = await workspace_of(conn, workspace_id)
        rows = await store.load_all(conn, workspace_id)
        private = await private_urls.allowed_in(conn, workspace)
        checked = checks.check(raws, rows, sandbox=workspace.sandbox, private=private)
        await check_more(conn, workspace, checked, now)
        checked.refuse()
        changes = [await writes.plan(conn, workspace_id, definition, row) for definition, row in checked.definitions]
        if dry_run:
            return changes, checked
        here = workspace.now(now)
        await object_types.reserve(conn, workspace_id, checked.definitions)
        written = [
            await writes.write(conn, workspace, change, source=source, waits=waits, now=here) for change in changes
        ]
        await collections.keep(conn, workspace_id, written, contents, here)
        if source is not None:
            kept = [(c.definition.kind, c.number) for c in written if c.action == "unchanged" and c.number is not None]
            await store.set_source(conn, workspace_id, kept, source)
        if any(change.action != "unchanged" for change in written):
            await workspaces.bump_definitions(conn, workspace_id)
    return written, checked


async def check_more(conn: Connection, workspace: WorkspaceRow, checked: checks.Checked, real_now: datetime) -> None:
    """Add what only the database and the clock can say against documents."""
    collections.check(checked)
    schedules.check(checked, workspace.now(real_now))
    await object_types.check(conn, workspace.workspace_id, checked)
    await workflow_checks.check(conn, workspace.workspace_id, checked)


async def _stored(db: Database, workspace_id: int, kind: str, ref: str | int) -> DefinitionRow:
    _known(kind)
    async with db.connection() as conn:
        row = await store.get(conn, workspace_id, kind, ref)
    if row is None:
        raise NotFound(kind, ref)
    return row


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise InvalidInput([unknown_kind()])


def _named(raw: Any, kind: str, key: str) -> Any:
    """The body with kind and key from the path; a body that says otherwise is refused."""
    if not isinstance(raw, dict):
        return raw if raw is not None else {"kind": kind, "key": key}
    problems = [
        Problem(
            code="immutable", pointer=f"/{name}", message=f"The path says '{said}'; leave {name} out, or say the same."
        )
        for name, said in (("kind", kind), ("key", key))
        if name in raw and raw[name] != said
    ]
    if problems:
        raise InvalidInput(problems)
    return {"kind": kind, "key": key, **raw}


def _names(kind: str, key: str) -> dict[str, Any]:
    return {"kind": kind, "key": key}


def _cursor(start: str | None) -> int | None:
    if not start:
        return None
    if not start.isdecimal() or len(start) > 9:
        raise DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")
    return int(start)


async def _names_of_type(conn: Connection, workspace_id: int, ref: str | int | None) -> frozenset[str | int] | None:
    """By what documents refer to an object type; None where none is asked for."""
    if ref is None:
        return None
    row = await store.get(conn, workspace_id, "object_type", ref)
    return frozenset() if row is None else frozenset({row.key, row.definition_id})


def _is_about(row: DefinitionRow, names: frozenset[str | int]) -> bool:
    """Whether the document refers to an object type, in its trigger or below."""
    definition, _ = read_definition(row.document) if names else (None, [])
    return definition is not None and any(use.kind == "object_type" and use.ref in names for use in definition.uses())


def _mentions(row: DefinitionRow, words: str) -> bool:
    """Whether key, name, description or the texts of messages hold the words, case ignored."""
    document = row.document
    texts = [row.key, document.get("name"), document.get("description"), document.get("body"), document.get("email")]
    if row.kind in (*AUTOMATIONS, "transactional"):
        definition, _ = read_definition(document)
        texts += [template.source for template in definition.templates()] if definition is not None else []
    return any(words in text.casefold() for text in texts if isinstance(text, str))


async def _now_so(conn: Connection, workspace_id: int, rows: Sequence[DefinitionRow]) -> NowSo:
    campaigns = [row.definition_id for row in rows if row.kind in AUTOMATIONS]
    templates = [row.definition_id for row in rows if row.kind == "transactional"]
    sent = await drafts.by_transactional(conn, workspace_id, templates) if templates else {}
    if not campaigns:
        return NowSo(transactional=sent)
    active = await store.active_journeys(conn, workspace_id, campaigns)
    waiting = await drafts.by_campaign(conn, workspace_id, campaigns)
    return NowSo(active, waiting, frozenset(await schedule_store.ahead(conn, workspace_id, campaigns)), sent)


def _refuse_if_used(rows: Sequence[DefinitionRow], row: DefinitionRow) -> None:
    library = checks.library_of(rows)
    definition = read_definition(row.document)[0]
    senders = senders_within(library, definition) if isinstance(definition, DomainDefinition) else []
    named = snippet_uses.referents(library, row.key) if row.kind == snippet_uses.KIND else []
    named += layout_uses.referents(library, row.key) if row.kind == layout_uses.KIND else []
    checks.refuse_referents(row, [*library.referents(row.kind, row.key), *senders, *named])
    if row.kind == "provider":
        rest = [p for p in library.others("provider", row.key) if isinstance(p, ProviderDefinition) and p.enabled]
        if rest and not any(provider.serves("all") for provider in rest):
            message = f"The provider '{row.key}' serves 'all': let another do so first."
            raise DomainError("in_use", message)


__all__ = [
    "WEBHOOKS",
    "CampaignDefinition",
    "NowSo",
    "apply",
    "check_more",
    "delete",
    "get",
    "list_page",
    "put_one",
    "read_bundle",
    "shown",
    "status",
    "status_of",
    "validate",
    "wire_problem",
    "workspace_of",
]
