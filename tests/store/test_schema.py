"""The tables as migrations make them, as models describe them and as the store reads and writes them are the same."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import models
from models.types import Xid8
from settings import CHECKOUT
from stack.commands import product_environment, run_tool
from stack.services import postgres_alone
from store.definitions import DefinitionRow
from store.deliveries import DeliveryRow
from store.journeys import JourneyRow, StepRow
from store.people import MembershipRow, PersonRow
from store.tasks import TaskRow

ischema_names["xid8"] = Xid8  # the tool knows no such type by itself


def _partition(kind: str, name: str | None) -> bool:
    return kind == "table" and name is not None and (name.endswith("_default") or "_p20" in name)


async def test_migrations_make_what_the_models_describe():
    async with postgres_alone() as services:
        await run_tool(["alembic", "upgrade", "head"], product_environment(services.settings, {}, CHECKOUT), CHECKOUT)
        engine = create_async_engine(services.database_url.replace("postgresql://", "postgresql+asyncpg://", 1))

        def differences(connection: Any) -> list[Any]:
            def include(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
                return not _partition(kind, name)

            context = MigrationContext.configure(connection, opts={"include_object": include, "compare_type": False})
            return list(compare_metadata(context, SQLModel.metadata))

        async with engine.connect() as connection:
            found = await connection.run_sync(differences)
        await engine.dispose()
    assert found == []


@pytest.mark.parametrize(
    ("row", "model"),
    [
        (JourneyRow, models.Journey),
        (StepRow, models.JourneyStep),
        (PersonRow, models.Person),
        (MembershipRow, models.Membership),
        (DefinitionRow, models.Definition),
        (DeliveryRow, models.Delivery),
        (TaskRow, models.Task),
    ],
)
def test_rows_have_no_column_that_their_table_lacks(row: type, model: type[SQLModel]):
    assert {column.name for column in fields(row)} <= set(model.model_fields)
