"""What people have and belong to: devices, objects of numbered types, relationships with them, collections."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlmodel import Field, SQLModel

from models.types import bigint, instant, json, text, texts


class Device(SQLModel, table=True):
    """A push token and whose it is (PPL-19); one token belongs to one person of a workspace.

    `last_status` is that of the last push: empty, sent, bounced or suppressed (PPL-20).
    """

    __tablename__ = "devices"
    __table_args__ = (Index("devices_by_person", "workspace_id", "person_id", "last_used"),)
    workspace_id: int = Field(primary_key=True)
    token: str = text(pk=True)
    person_id: int = bigint()
    platform: str = text()
    last_used: datetime = instant()
    last_status: str = text()
    attributes: dict[str, Any] = json()
    created_at: datetime = instant()


class ObjectTypeNumber(SQLModel, table=True):
    """A number that an object type has or had (PPL-24); retired ones are never given to another."""

    __tablename__ = "object_type_numbers"
    workspace_id: int = Field(primary_key=True)
    object_type_id: int = Field(primary_key=True)
    automatic: bool
    retired: bool


class Object(SQLModel, table=True):
    """Something that is not a person (PPL-25). `object_no` is the number behind `cio_object_id`, never given out twice."""

    __tablename__ = "objects"
    __table_args__ = (Index("objects_by_id", "workspace_id", "object_type_id", "object_id", unique=True),)
    workspace_id: int = Field(primary_key=True)
    object_no: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    object_type_id: int
    object_id: str = text()
    attributes: dict[str, Any] = json()
    attribute_times: dict[str, int] = json()
    created_at: datetime = instant()


class Relationship(SQLModel, table=True):
    """That a person and an object belong together, with attributes of its own (PPL-26)."""

    __tablename__ = "relationships"
    __table_args__ = (Index("relationships_by_object", "workspace_id", "object_no", "person_id"),)
    workspace_id: int = Field(primary_key=True)
    person_id: int = bigint(pk=True)
    object_no: int = bigint(pk=True)
    attributes: dict[str, Any] = json()
    created_at: datetime = instant()


class CollectionContent(SQLModel, table=True):
    """The rows of a collection, replaced as a whole (PPL-27); its definition holds the name."""

    __tablename__ = "collection_contents"
    workspace_id: int = Field(primary_key=True)
    collection_id: int = Field(primary_key=True)
    rows: list[dict[str, Any]] = json()
    row_count: int
    bytes: int
    columns: list[str] = texts()
    updated_at: datetime = instant()
