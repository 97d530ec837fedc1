"""Whom an action is for: the journey's person, or somebody named by an identifier, perhaps in another workspace (ACT-23, ACT-24)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.blocks import Target
from domain.emails import bare_address
from domain.operations import Identifier
from domain.track.limits import ID_BYTES
from domain.values import is_blank
from services.actions.base import ActionContext, CannotAct
from store import workspaces
from store.names import resolve


class Recipient(NamedTuple):
    """Somebody by a name, in a workspace; `own` where that is the journey's person."""

    identifier: Identifier
    workspace_id: int
    own: bool

    @property
    def words(self) -> str:
        """Whom the log says it was for."""
        return f"Another person, named by {self.identifier.kind}"


async def recipient(
    context: ActionContext, target: Target | str, computed: Mapping[tuple[str | int, ...], Any]
) -> Recipient:
    """Whom a target means, its value computed; raises CannotAct where it names nobody."""
    here = context.journey.workspace_id
    if not isinstance(target, Target):
        return Recipient(Identifier(kind="cio_id", value=context.person.cio_id), here, own=True)
    kind, _ = target.identifier
    name = _identifier(kind, computed.get(("target", kind)))
    if name is None:
        raise CannotAct("The target's identifier is empty or malformed.")
    if target.workspace is not None and target.workspace != here:
        await _check_workspace(context, target.workspace)
        return Recipient(name, target.workspace, own=False)
    owner = (await resolve(context.unit.conn, here, [name.name])).get(name.name)
    return Recipient(name, here, own=context.journey.travelled and owner == context.person.person_id)


async def _check_workspace(context: ActionContext, workspace_id: int) -> None:
    other = await workspaces.get(context.unit.conn, workspace_id)
    if other is None:
        raise CannotAct(f"There is no workspace {workspace_id}.")
    if other.sandbox != context.unit.catalog.workspace.sandbox:
        # Their clocks differ, and what is tried out must not reach real people.
        raise CannotAct("A sandbox and a workspace that is none do not write to each other.")


def _identifier(kind: str, value: Any) -> Identifier | None:
    if is_blank(value) or isinstance(value, bool | dict | list):
        return None
    text = str(value).strip()
    if not text or len(text.encode()) > ID_BYTES or (kind == "email" and bare_address(text) is None):
        return None
    return Identifier.model_validate({"kind": kind, "value": text})


__all__ = ["Recipient", "recipient"]
