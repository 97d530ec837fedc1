"""Definitions: apply many or none, put one, read, list, delete, validate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from pydantic import ValidationError

from domain.definitions import KINDS, CampaignDefinition, Definition, read_definition, unknown_kind
from domain.definitions.bundle import Bundle
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.secrets import masked
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.preconditions import NOTHING, Preconditions
from domain.problems import from_validation_error
from domain.values import to_unix
from services import collections, domains, journeys, object_types, private_urls, schedules, workflow_checks
from services import definition_checks as checks
from services import definition_deletes as deletes
from services import definition_pruning as pruning
from services import definition_writes as writes
from services.definition_referents import refuse_if_used
from services.definition_writes import RemovedWaits
from store import definitions as store
from store import drafts, workspaces
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
Permit = Callable[[Sequence[type[Definition]]], None]
"""Refuses a caller that may not write documents of these kinds."""


@dataclass(frozen=True)
class _Manner:
    """How documents are applied: under which source, in earnest or not, and what the caller makes it depend on.

    With `prune` what is missing and was applied under the source is deleted, if the caller may.
    """

    source: str | None = None
    dry_run: bool = False
    waits: RemovedWaits = "continue"
    prune: bool = False
    permit: Permit | None = None
    preconditions: Preconditions = NOTHING


class _Applied(NamedTuple):
    """What was written, or would be, what was deleted, and what was found on the way."""

    changes: Sequence[writes.Change]
    deleted: Sequence[DefinitionRow]
    checked: checks.Checked


async def apply(
    db: Database,
    workspace_id: int,
    body: Any,
    *,
    dry_run: bool = False,
    permit: Permit | None = None,
    now: datetime,
) -> dict[str, Any]:
    """Create or update every document of a bundle in one transaction, or (dry run) say what that would do.

    With `prune` what was applied under the same source and is missing is deleted in the same transaction, if `permit` lets
    its kinds pass. `body` is the bundle as received. Raises InvalidInput with everything wrong, DomainError `locked` where
    only that stands in the way.
    """
    bundle = read_bundle(body)
    raws = [(f"/definitions/{index}", raw) for index, raw in enumerate(bundle.definitions)]
    manner = _Manner(bundle.source, dry_run, prune=bundle.prune, permit=permit)
    done = await _apply(db, workspace_id, raws, manner, now)
    return {
        "dry_run": dry_run,
        "changes": [change.wire() for change in done.changes] + [pruning.wire(row) for row in done.deleted],
        "warnings": [wire_problem(warning) for warning in done.checked.warnings],
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
    preconditions: Preconditions = NOTHING,
    now: datetime,
) -> tuple[dict[str, Any], bool]:
    """Create or replace the document named by kind and key (or id); returns the answer and whether it is new.

    Raises DomainError `revision_conflict` where what is stored is not as demanded.
    """
    _known(kind)
    key = ref if isinstance(ref, str) else (await _stored(db, workspace_id, kind, ref)).key
    body = _named(raw, kind, key)
    manner = _Manner(None, dry_run, removed_waits, preconditions=preconditions)
    done = await _apply(db, workspace_id, [("", body)], manner, now)
    (change,) = done.changes
    row = change.row
    answer: dict[str, Any] = {"change": change.wire()}
    async with db.connection() as conn:
        answer["status"] = await status(conn, row) if row is not None else {**_names(kind, key), "id": 0, "revision": 0}
    answer["warnings"] = [wire_problem(warning) for warning in done.checked.warnings]
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


async def delete(
    db: Database,
    workspace_id: int,
    kind: str,
    ref: str | int,
    *,
    preconditions: Preconditions = NOTHING,
    now: datetime,
) -> None:
    """Remove a document for good; a campaign's journeys end first.

    Raises NotFound, DomainError `revision_conflict` where it is not as demanded, or `in_use` with the referents.
    """
    _known(kind)
    if kind == "campaign":
        await _empty(db, workspace_id, ref, preconditions, now)
    async with db.transaction() as conn:
        workspace, row = await _removable(conn, workspace_id, kind, ref, preconditions)
        # Whoever was entering a campaign while it was emptied is met by the task.
        await deletes.remove(conn, workspace, row, workspace.now(now))
        await workspaces.bump_definitions(conn, workspace_id)


async def _removable(
    conn: Connection, workspace_id: int, kind: str, ref: str | int, preconditions: Preconditions
) -> tuple[WorkspaceRow, DefinitionRow]:
    await store.lock(conn, workspace_id)
    workspace = await workspace_of(conn, workspace_id)
    rows = await store.load_all(conn, workspace_id)
    row = next((r for r in rows if r.kind == kind and ref in (r.key, r.definition_id)), None)
    if row is None:
        raise NotFound(kind, ref)
    preconditions.check(kind, row.key, row.revision)
    library = checks.library_of(rows)
    entry = library.find(kind, row.key)
    assert entry is not None, "it is among the rows"
    refuse_if_used(library, entry)
    return workspace, row


async def _empty(db: Database, workspace_id: int, ref: str | int, preconditions: Preconditions, now: datetime) -> None:
    """Let nobody into the campaign any more and end who is inside, a transaction a page: people are locked for it."""
    async with db.transaction() as conn:
        workspace, row = await _removable(conn, workspace_id, "campaign", ref, preconditions)
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
    db: Database, workspace_id: int, raws: Sequence[tuple[str, Any]], manner: _Manner, now: datetime
) -> _Applied:
    contents = {} if manner.dry_run else await collections.fetched(db, workspace_id, raws)
    async with db.transaction() as conn:
        if not manner.dry_run:
            await store.lock(conn, workspace_id)
        workspace = await workspace_of(conn, workspace_id)
        rows = await store.load_all(conn, workspace_id)
        leaving = _admitted(rows, raws, manner)
        private = await private_urls.allowed_in(conn, workspace)
        checked = checks.check(raws, rows, sandbox=workspace.sandbox, private=private, leaving=leaving)
        await check_more(conn, workspace, checked, now)
        await pruning.check(conn, checked, leaving)
        checked.refuse()
        changes = [await writes.plan(conn, workspace_id, definition, row) for definition, row in checked.definitions]
        if manner.dry_run:
            return _Applied(changes, leaving, checked)
        here = workspace.now(now)
        await pruning.carry_out(conn, workspace, leaving, here)
        await object_types.reserve(conn, workspace_id, checked.definitions)
        written = [
            await writes.write(conn, workspace, change, source=manner.source, waits=manner.waits, now=here)
            for change in changes
        ]
        await collections.keep(conn, workspace_id, written, contents, here)
        if manner.source is not None:
            kept = [(c.definition.kind, c.number) for c in written if c.action == "unchanged" and c.number is not None]
            await store.set_source(conn, workspace_id, kept, manner.source)
        if leaving or any(change.action != "unchanged" for change in written):
            await workspaces.bump_definitions(conn, workspace_id)
    return _Applied(written, leaving, checked)


def _admitted(
    rows: Sequence[DefinitionRow], raws: Sequence[tuple[str, Any]], manner: _Manner
) -> Sequence[DefinitionRow]:
    """What is to be deleted; refuses where a document is not as demanded, or the caller may not delete one."""
    for _, raw in raws if manner.preconditions.said else ():
        name = checks.name_of(raw)
        row = next((row for row in rows if (row.kind, row.key) == name), None)
        if name is not None:
            manner.preconditions.check(*name, None if row is None else row.revision)
    if not manner.prune or manner.source is None:
        return ()
    leaving = pruning.missing(rows, manner.source, raws)
    if manner.permit is not None:
        manner.permit([KINDS[row.kind] for row in leaving])
    return leaving


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
