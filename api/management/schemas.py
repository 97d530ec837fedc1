"""Bodies and answers of the management API that are not authored documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

Scope = Literal["read", "read:sensitive", "write", "write:live", "configure", "send"]
UnixTime = Annotated[int, Field(ge=0, le=99_999_999_999, strict=True, description="Unix seconds.")]
MaybeUnixTime = UnixTime | None


class Body(BaseModel):
    """A request: fields it does not know are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(BaseModel):
    """An answer, as the description shows it."""

    model_config = ConfigDict(frozen=True)


class Referent(Answer):
    """One document that refers to another."""

    kind: str
    key: str
    pointer: str = ""


class Error(Answer):
    """One problem: a stable code, a JSON Pointer into the request, a sentence."""

    pointer: str = Field("", description="JSON Pointer into the request body; empty for the whole.")
    code: str
    message: str
    stage: Literal["save", "start"] | None = None
    referents: list[Referent] | None = None


class Refused(Error):
    """One problem, with the words that clients of the vendor's App API look for."""

    detail: str = Field(description="The sentence again; `unauthorized` with 401.")
    status: str = Field(description="The status of the answer, as text.")
    source: dict[str, str] | None = Field(None, description="The pointer again, where there is one.")


class Errors(Answer):
    """Every problem found, not only the first; `meta.error` is all the sentences in one text."""

    errors: list[Refused] = Field(min_length=1)
    meta: dict[str, str]


class DiffEntry(Answer):
    """One difference at a JSON Pointer; `before` and `after` hold what was and what is there, where there is something."""

    op: Literal["add", "remove", "replace"]
    path: str
    before: Any = None
    after: Any = None


class Change(Answer):
    """What applying a document did, or would do."""

    kind: str
    key: str
    id: int | None = None
    action: Literal["create", "update", "unchanged", "delete"]
    revision: int | None = None
    diff: list[DiffEntry] | None = None
    effects: dict[str, Any] | None = None


class Status(Answer):
    """The server's side of a definition; never part of the document."""

    kind: str
    key: str
    id: int
    revision: int
    version: int | None = None
    state: str | None = None
    scheduled: bool | None = None
    created_at: int | None = None
    updated_at: int | None = None
    first_started: int | None = None
    source: str | None = None
    author: str | None = Field(None, description="Of one revision: the name of the credential that wrote it.")
    actions: dict[str, int] | None = Field(None, description="Block key to action id.")
    task_id: str | None = None
    active_journeys: int | None = None
    drafts: int | None = None
    webhook_url: str | None = Field(None, description="Where a webhook campaign is called; whoever knows it may.")
    sample: Any = Field(
        None, description="The latest payload a webhook campaign took as a draft; where one definition is read."
    )
    problems: list[Error] | None = None
    records: list[dict[str, Any]] | None = Field(
        None, description="Of a domain that was verified: what was found; where one definition is read."
    )
    checked_at: int | None = None


class ApplyResult(Answer):
    """What a bundle changed, or would change."""

    dry_run: bool
    changes: list[Change]
    warnings: list[Error]


class PutResult(Answer):
    """What one document changed, or would change."""

    change: Change
    status: Status
    warnings: list[Error]


class ValidationReport(Answer):
    """Everything wrong with a document or a bundle."""

    valid: bool = Field(description="No error of stage `save`.")
    startable: bool = Field(description="No error at all.")
    errors: list[Error]
    warnings: list[Error]


class DefinitionRecord(Answer):
    """A document and its status."""

    definition: dict[str, Any]
    status: Status


class DefinitionPage(Answer):
    """One page, newest first."""

    definitions: list[DefinitionRecord]
    next: str


class Revision(Answer):
    """One accepted change of a definition, secrets hidden in what it changed."""

    revision: int
    created_at: int
    author: str | None = Field(
        None, description="The name of the credential that wrote it; left out where nobody wrote that down."
    )
    source: str | None = Field(None, description="The source of the bundle that it was part of.")
    diff: list[DiffEntry] | None = Field(
        None, description="Left out for the first, and where what was before is not known."
    )


class RevisionPage(Answer):
    """One page, newest first."""

    revisions: list[Revision]
    next: str


class Referents(Answer):
    """Who refers to a definition, empty when it may be deleted."""

    used_by: list[Referent]


class BundleBody(Body):
    """Documents to be applied together."""

    source: str | None = Field(None, description="Names the folder or repository these documents come from.")
    prune: StrictBool = Field(
        False, description="Delete what was applied last under the same `source` and is missing here, too."
    )
    definitions: list[dict[str, Any]] = Field(max_length=2000)


class AudienceBody(Body):
    """Who enters at a start."""

    audience: Literal["future", "current_and_future"] | None = None


class CopyBody(Body):
    """How a copy is called; what is left out is made up."""

    key: str | None = None
    name: str | None = None


class TagBody(Body):
    """What a tag is to be called."""

    name: Annotated[str, Field(min_length=1)]


class Tag(Answer):
    """A tag, and how many documents have it."""

    name: str
    used: int


class Tags(Answer):
    """Every tag in use."""

    tags: list[Tag]


class WebhookReceived(Answer):
    """What became of a call to a webhook campaign."""

    journey_id: str | None = Field(description="The journey that was begun; null for a draft.")
    sample_stored: bool = Field(description="Whether the payload was kept as a draft's sample.")


class StopBody(Body):
    """What happens to people inside."""

    journeys: Literal["exit", "finish"]


class SendingStateBody(Body):
    """How blocks send from now on."""

    sending_state: Literal["automatic", "draft", "off"]
    blocks: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]] | None = Field(
        None, description="Block keys; absent means every block that has a sending behaviour."
    )


class DraftEdit(Body):
    """What one draft says instead; texts are templates, rendered again when the draft is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"minProperties": 1})

    recipient: StrictStr | None = None
    subject: StrictStr | None = None
    preheader: StrictStr | None = None
    body: StrictStr | None = Field(None, description="The whole body; no layout is put around it.")
    body_plain: StrictStr | None = None


class RetryBody(Body):
    """How a delivery that did not come about is tried again."""

    message_limit: Literal["observe", "ignore"] = "observe"
    link_tracking: StrictBool | None = None


class BulkBody(Body):
    """Which deliveries, and what becomes of them; without ids and without a source all that are there now."""

    action: Literal["send_drafts", "delete_drafts", "retry_failed"]
    ids: Annotated[list[StrictStr], Field(max_length=10_000)] | None = None
    campaign: str | int | None = None
    broadcast: str | int | None = None
    block: str | None = Field(None, description="Of the campaign or the broadcast.")
    newsletter: str | int | None = None
    transactional: str | int | None = None
    per_second: Annotated[float, Field(gt=0)] | None = Field(
        None, description="How many a second at most, on the workspace's clock."
    )


class WorkspaceCreate(Body):
    """A workspace to be made; `sandbox` never changes afterwards."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=100)]
    sandbox: StrictBool = False
    now: UnixTime | None = Field(None, description="Sandbox only: where its time begins; default the real time.")
    settings: dict[str, Any] | None = Field(None, description="The first `settings` document, without kind and key.")


class WorkspaceChange(Body):
    """What may be changed of a workspace."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=100)] | None = None
    colour: Annotated[StrictStr, Field(max_length=100)] | None = None


class Workspace(Answer):
    """A workspace."""

    id: int
    name: str
    colour: str = ""
    sandbox: bool
    created_at: int


class Workspaces(Answer):
    """Workspaces, oldest first."""

    workspaces: list[Workspace]


class Credential(Answer):
    """A key of a workspace without its secret."""

    id: int
    kind: Literal["track", "app", "pipelines"]
    name: str
    site_id: str | None = None
    scopes: list[Scope] | None = None
    client_side: bool | None = Field(None, description="Pipelines keys only: in the hands of browsers or apps.")
    blocked_events: list[str] | None = Field(None, description="Pipelines keys only: events not taken from it.")
    created_at: int
    last_used_at: int | None = None


class CredentialWithSecret(Credential):
    """A key with its secret, shown this once: `api_key` (Track), `app_key` or `write_key`."""

    api_key: str | None = None
    app_key: str | None = None
    write_key: str | None = None


class Credentials(Answer):
    """The keys of a workspace."""

    credentials: list[Credential]


class WorkspaceMade(Answer):
    """A new workspace and its first keys."""

    workspace: Workspace
    credentials: list[CredentialWithSecret]


EventNames = Annotated[list[Annotated[StrictStr, Field(min_length=1, max_length=100)]], Field(max_length=1000)]


class CredentialCreate(Body):
    """A key to be made; without `scopes` an App key may do everything."""

    kind: Literal["track", "app", "pipelines"]
    name: Annotated[StrictStr, Field(min_length=1, max_length=100)]
    scopes: list[Scope] | None = None
    client_side: StrictBool | None = Field(
        None, description="Pipelines keys only: anybody may know the key, so it cannot delete or suppress."
    )
    blocked_events: EventNames | None = Field(
        None, description="Pipelines keys only: `track` calls with these names, spelled exactly so, have no effect."
    )


class CredentialChange(Body):
    """A key's new name, whether browsers or apps use it, which events it may not send; what is left out stays."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=100)] | None = None
    client_side: StrictBool | None = Field(None, description="Pipelines keys only.")
    blocked_events: EventNames | None = Field(None, description="Pipelines keys only; the whole list.")


class Clock(Answer):
    """What time it is; in a sandbox, what is due next."""

    now: int
    sandbox: bool
    next_due: dict[str, Any] | None = None


class ClockBody(Body):
    """Where a sandbox's time begins."""

    now: UnixTime


class AdvanceBody(Body):
    """How far to move, by a duration or to an instant."""

    by: int | str | None = Field(None, description="`PT10M`, `P3D` or seconds.")
    to: UnixTime | None = None
    timeout_seconds: float = Field(120, ge=0.1, le=300, description="Real seconds.")


class SettleBody(Body):
    """How long to wait at most."""

    timeout_seconds: float = Field(30, ge=0.1, le=300, description="Real seconds.")


class ClockReport(Answer):
    """What happened on the way."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    began: int = Field(alias="from")
    now: int
    settled: Literal[True]
    fired: dict[str, int]
    journeys: dict[str, int]
    segments: dict[str, int]
    deliveries: dict[str, dict[str, int]]
    steps: list[dict[str, Any]]
    steps_total: int
    real_ms: int


class Unsettled(Errors):
    """Real time ran out."""

    now: int
    pending: dict[str, Any]


class TaskAbout(Answer):
    """What a task is about."""

    kind: Literal["segment", "campaign", "import", "export", "object_type"]
    id: int


class Task(Answer):
    """Long work in the background."""

    id: str
    type: str
    priority: Literal["high", "medium", "low"]
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: dict[str, int | None]
    about: TaskAbout | None = Field(
        None, description="Null where a task is about nothing that has a number of its own."
    )
    error: str | None = None
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None


class Tasks(Answer):
    """One page, newest first."""

    tasks: list[Task]
    next: str


class HealthCheck(Answer):
    """One thing looked at."""

    ok: bool
    detail: str


class Live(Answer):
    """The process answers."""

    status: Literal["live"]


class Ready(Answer):
    """Whether calls can be accepted, and how what processes them stands."""

    status: Literal["ready", "degraded", "not_ready"]
    version: str
    checks: dict[str, HealthCheck]
