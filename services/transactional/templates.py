"""Which template a call means, and the making of one where it asks for that (CHN-01)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from domain.definitions.transactional import TransactionalDefinition
from domain.errors import InvalidInput
from domain.sending.refusals import TEMPLATE_UNKNOWN, SendRefused, malformed
from ingest.catalog import Catalog, Entry
from services import definitions
from store import definitions as store
from store.database import Database

FIELD: Final = "transactional_message_id"
LONGEST_NAME: Final = 190
_NOT_IN_KEYS = re.compile(r"[^a-z0-9_-]+")
_KEY_LENGTH = 60
_TRIES = 5


def find(catalog: Catalog, named: int | str) -> Entry | None:
    """The template of a number, else of a trigger name, else of a name that only one has; `named` is as `template_of` reads it."""
    found = [entry for entry in catalog.transactional if isinstance(entry.definition, TransactionalDefinition)]
    if isinstance(named, int):
        return next((entry for entry in found if entry.id == named), None)
    by_trigger = (entry for entry in found if _definition(entry).called == named)
    called = [entry for entry in found if _definition(entry).name.strip().casefold() == named]
    return next(by_trigger, called[0] if len(called) == 1 else None)


def checked(entry: Entry, channel: str) -> TransactionalDefinition:
    """What a template says; raises SendRefused where it is one of another channel than the endpoint's."""
    template = _definition(entry)
    if template.channel != channel:
        raise SendRefused(f'"{FIELD}" belongs to a message of the channel {template.channel}.', FIELD)
    return template


def check_new(written: str) -> None:
    """Raise SendRefused where a template cannot be called that."""
    if len(written) > LONGEST_NAME:
        raise malformed(FIELD, f"a name has at most {LONGEST_NAME} characters.")


async def create(db: Database, workspace_id: int, channel: str, written: str, *, now: datetime) -> None:
    """Make an empty template that is called so; raises SendRefused where that cannot be.

    Where somebody else makes it meanwhile, theirs is as good.
    """
    key = _NOT_IN_KEYS.sub("-", written.casefold()).strip("-_")[:_KEY_LENGTH]
    if not key[:1].isalpha():
        key = f"t-{key}".rstrip("-")
    for number in range(1, _TRIES + 1):
        document = {
            "kind": "transactional",
            "key": key if number == 1 else f"{key}-{number}",
            "name": written,
            "channel": channel,
            "trigger_name": written,
        }
        async with db.connection() as conn:
            taken = await store.get(conn, workspace_id, "transactional", document["key"])
        if taken is not None:
            continue
        try:
            await definitions.apply(db, workspace_id, {"definitions": [document]}, now=now)
        except InvalidInput as error:
            if any(problem.code == "duplicate" for problem in error.problems):
                return
            raise SendRefused(f'"{FIELD}": {error.message}', FIELD) from None
        return
    raise SendRefused(TEMPLATE_UNKNOWN, FIELD)


def _definition(entry: Entry) -> TransactionalDefinition:
    assert isinstance(entry.definition, TransactionalDefinition), "only these are asked"
    return entry.definition


__all__ = ["check_new", "checked", "create", "find"]
