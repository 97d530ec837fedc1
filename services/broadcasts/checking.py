"""What is known of a call's audience before anybody is looked for: names that nobody has, segments that are not there (CHN-18)."""

from __future__ import annotations

from domain.broadcasts.calls import TriggerCall
from domain.broadcasts.faults import EXACTLY_ONE, NOT_VALID, Fault, ambiguous, missing
from domain.definitions import BroadcastDefinition
from services.broadcasts.owners import owners_of
from services.looking.references import wrong_references
from store.database import Connection, Database


async def faults_of(db: Database, workspace_id: int, definition: BroadcastDefinition, call: TriggerCall) -> list[Fault]:
    """What is wrong with the audience, against what is applied by now."""
    async with db.connection() as conn:
        if not call.audience:
            return [] if definition.recipients is not None else [_nobody()]
        if call.recipients is not None:
            found = await wrong_references(conn, workspace_id, call.recipients.condition, "")
            said = [f"{problem.message} ({problem.pointer})" for problem in found]
            return [Fault("unknown_reference", "recipients", NOT_VALID, said[0])] if said else []
        if "ids" in call.audience:
            return await _ids(conn, workspace_id, call)
        if "emails" in call.audience:
            return await _emails(conn, workspace_id, call)
    return []


def _nobody() -> Fault:
    return Fault("required", "recipients", EXACTLY_ONE, "The broadcast itself names no recipients.")


async def _ids(conn: Connection, workspace_id: int, call: TriggerCall) -> list[Fault]:
    if call.flag("id_ignore_missing"):
        return []
    asked: list[str] = call.audience["ids"]
    known = await owners_of(conn, workspace_id, asked, [])
    absent = [name for name in asked if not known.of("id", name)]
    return [Fault("unknown_reference", "ids", missing("ids", absent))] if absent else []


async def _emails(conn: Connection, workspace_id: int, call: TriggerCall) -> list[Fault]:
    if call.flag("email_ignore_missing") and call.flag("email_add_duplicates"):
        return []
    asked: list[str] = call.audience["emails"]
    known = await owners_of(conn, workspace_id, [], asked)
    faults: list[Fault] = []
    absent = [email for email in asked if not known.of("email", email)]
    if absent and not call.flag("email_ignore_missing"):
        faults.append(Fault("unknown_reference", "emails", missing("emails", absent)))
    shared = [email for email in asked if len(known.of("email", email)) > 1]
    if shared and not call.flag("email_add_duplicates"):
        faults.append(Fault("duplicate", "emails", ambiguous(shared)))
    return faults


__all__ = ["faults_of"]
