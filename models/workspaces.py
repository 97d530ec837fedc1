"""Tenants, their keys, and the numbers they count with."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Identity, Index
from sqlmodel import Field, SQLModel

from models.types import bigint, blob, instant, json, text, texts


class Workspace(SQLModel, table=True):
    """A tenant. `clock_now` is set in a sandbox only: there time stands still until moved.

    `definitions_rev` grows with every change of a definition, a lifecycle state or a credential; whoever caches one
    compares it inside the transaction it works in. `delivery_key` makes delivery ids and is never rotated. Where
    `allowed_ips` is not empty, calls from other addresses are refused.
    """

    __tablename__ = "workspaces"
    workspace_id: int = Field(default=None, primary_key=True, sa_column_args=(Identity(always=False),))
    name: str = text()
    colour: str = text()
    sandbox: bool
    clock_now: datetime | None = instant(null=True)
    delivery_key: bytes = blob()
    definitions_rev: int = bigint()
    created_at: datetime = instant()
    allowed_ips: list[str] = texts()


class Credential(SQLModel, table=True):
    """A Track pair, an App key or a Pipelines key; the secret is kept as a SHA-256 only.

    Looked up by its secret before the workspace is known, hence the one index that does not start with the workspace.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        Index("credentials_by_secret", "kind", "secret_hash", unique=True),
        Index("credentials_by_site", "site_id", unique=True, postgresql_where="site_id IS NOT NULL"),
    )
    workspace_id: int = Field(primary_key=True)
    credential_id: int = Field(primary_key=True)
    kind: str = text()
    name: str = text()
    site_id: str | None = text(null=True)
    secret_hash: bytes = blob()
    scopes: list[str] | None = texts(null=True)
    created_at: datetime = instant()
    last_used_at: datetime | None = instant(null=True)
    settings: dict[str, Any] = json()


class ServiceToken(SQLModel, table=True):
    """A deployment-wide service-account token, kept as a SHA-256."""

    __tablename__ = "service_tokens"
    token_hash: bytes = blob(pk=True)
    name: str = text()
    created_at: datetime = instant()


class Counter(SQLModel, table=True):
    """The last integer id given out in a workspace for one kind of thing."""

    __tablename__ = "counters"
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    value: int = bigint()


class SigningKey(SQLModel, table=True):
    """A secret by which receivers know our calls (ACT-30); one that was replaced counts until `expires_at`."""

    __tablename__ = "signing_keys"
    workspace_id: int = Field(primary_key=True)
    purpose: str = text(pk=True)
    key: str = text(pk=True)
    created_at: datetime = instant()
    expires_at: datetime | None = instant(null=True)


class LlmUsage(SQLModel, table=True):
    """How many tokens language models have used up in a workspace on a day of its own clock, in UTC (ACT-34)."""

    __tablename__ = "llm_usage"
    workspace_id: int = Field(primary_key=True)
    day: date = Field(primary_key=True)
    tokens: int = bigint()
