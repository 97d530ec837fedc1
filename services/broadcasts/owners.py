"""Whom ids and addresses name, many at once; an address may be one of several people where it names nobody (CHN-18)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from domain.operations import identifier
from services.looking.people import emails_identify
from store import broadcast_triggers, names
from store.database import Connection


class Owners(NamedTuple):
    """People by the names that were asked for, in the form in which names are compared."""

    ids: Mapping[str, int]
    emails: Mapping[str, list[int]]

    def of(self, kind: str, name: str) -> list[int]:
        """Whom one of these names belongs to."""
        if kind == "email":
            return self.emails.get(key_of("email", name), [])
        found = self.ids.get(key_of("id", name))
        return [] if found is None else [found]


def key_of(kind: str, name: str) -> str:
    """A name as it is compared."""
    return identifier("email" if kind == "email" else "id", name).value_key


async def owners_of(conn: Connection, workspace_id: int, ids: Iterable[str], emails: Iterable[str]) -> Owners:
    """Everybody whom one of these names."""
    wanted = {key_of("email", email) for email in emails}
    asked = [("id", key_of("id", name)) for name in ids]
    by_email: dict[str, list[int]] = defaultdict(list)
    if wanted and await emails_identify(conn, workspace_id):
        asked += [("email", key) for key in wanted]
    elif wanted:
        for email, person_id in await broadcast_triggers.owners_of_addresses(conn, workspace_id, sorted(wanted)):
            if (key := key_of("email", email)) in wanted:
                by_email[key].append(person_id)
    found = await names.resolve(conn, workspace_id, asked)
    for (kind, key), person_id in found.items():
        if kind == "email":
            by_email[key].append(person_id)
    return Owners({key: person_id for (kind, key), person_id in found.items() if kind == "id"}, by_email)


__all__ = ["Owners", "key_of", "owners_of"]
