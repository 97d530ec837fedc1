"""Whether documents may stand in a workspace: each by itself, all together, and with what is stored already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.blocks import LlmBlock
from domain.definitions import (
    BroadcastDefinition,
    CampaignDefinition,
    Definition,
    LayoutDefinition,
    TransactionalDefinition,
    css_switch,
    kind_of,
    provider_uses,
    read_definition,
)
from domain.definitions import campaign_parts as parts
from domain.definitions.base import Use
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.library import ARCHIVED, Entry, Library
from domain.definitions.secrets import unmasked
from domain.definitions.template_roots import absent_roots
from domain.definitions.transactional import UNCATEGORIZED
from domain.errors import DomainError, InvalidInput, Problem, Referent
from domain.problems import below, pointer_of
from domain.values import same
from domain.web_addresses import fault_of
from rendering.liquid import check_syntax
from rendering.roots import demanded
from services import snippet_uses
from services.emails_said import blank_subjects
from services.llm.configured import is_configured
from services.private_urls import Allowed, nowhere
from services.sender_checks import sender_problems
from store.definitions import DefinitionRow

Stored = Mapping[tuple[str, str], DefinitionRow]


@dataclass(frozen=True)
class Incoming:
    """One document of a request: where it stands there and, where its shape is right, what it means."""

    pointer: str
    definition: Definition | None
    row: DefinitionRow | None


@dataclass
class Checked:
    """The documents of a request with everything found; `errors` of stage `start` refuse only where somebody is inside."""

    incoming: list[Incoming]
    library: Library
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def definitions(self) -> Iterator[tuple[Definition, DefinitionRow | None]]:
        """The documents that can be read, each with what is stored under its name."""
        for item in self.incoming:
            if item.definition is not None:
                yield item.definition, item.row

    def tolerate(self, is_tolerable: Callable[[Problem], bool]) -> None:
        """Have some of what is wrong only warn."""
        self.warnings += [
            problem.model_copy(update={"stage": "save"}) for problem in self.errors if is_tolerable(problem)
        ]
        self.errors = [problem for problem in self.errors if not is_tolerable(problem)]

    def refuse(self) -> None:
        """Raise what forbids writing the documents: InvalidInput, or `locked` where nothing else is wrong."""
        fatal = [problem for problem in self.errors if problem.stage == "save"]
        locked = [problem for problem in fatal if problem.code == "locked"]
        if len(fatal) > len(locked):
            raise InvalidInput(fatal)
        if locked:
            raise DomainError("locked", locked[0].message, locked[0].pointer)


def check(
    raws: Sequence[tuple[str, Any]],
    rows: Sequence[DefinitionRow],
    *,
    sandbox: bool,
    private: Allowed = nowhere,
    leaving: Sequence[DefinitionRow] = (),
) -> Checked:
    """Everything about documents, given with their pointers in the request, in the workspace that holds `rows`.

    `private` says of addresses inside private networks whether they may be called. `leaving` are documents that are
    deleted with this: nothing of them is there any more, and who still refers to them is not told here.
    """
    stored: Stored = {(row.kind, row.key): row for row in rows}
    raws = provider_uses.filled(raws, {row.key: row.document for row in rows if row.kind == "provider"})
    raws = css_switch.filled(raws, {name: row.document for name, row in stored.items()})
    library = library_of(rows)
    for gone in leaving:
        library.take_out(gone.kind, gone.key)
    checked = Checked([], library)
    seen: set[tuple[str, str]] = set()
    for pointer, raw in raws:
        definition, row, problems = _read(raw, stored)
        checked.incoming.append(Incoming(pointer, definition, row))
        checked.errors += below(problems, pointer)
        name = name_of(raw)
        if name is None:
            continue
        if name in seen:
            message = f"The {name[0]} '{name[1]}' stands in here twice."
            checked.errors.append(Problem(code="duplicate", pointer=f"{pointer}/key", message=message))
        seen.add(name)
        # What cannot be read still counts as there, so that its fault is not reported at every reference as well.
        library.put(Entry(*name, None, definition))
    for item in checked.incoming:
        if item.row is not None and item.row.state == ARCHIVED:
            checked.errors += below(list(_archived(item)), item.pointer)
        elif item.definition is not None:
            checked.errors += below(
                _staged(item, list(_problems(item, library, sandbox=sandbox, private=private))), item.pointer
            )
            checked.warnings += below(list(_warnings(item.definition, library)), item.pointer)
    return checked


def library_of(rows: Sequence[DefinitionRow]) -> Library:
    """What is stored, to look references up in."""
    return Library([Entry(row.kind, row.key, row.definition_id, row.document, row.state, row.actions) for row in rows])


def missing(uses: Iterable[Use], library: Library) -> Iterator[Problem]:
    """References to what is not there, or is archived; the number of sends without a template is there always.

    What leaves with this request is told with everybody who refers to it.
    """
    for use in uses:
        meant = library.find(use.kind, use.ref)
        if meant is None and (
            (use.kind, use.ref) == ("transactional", UNCATEGORIZED) or library.known(use.kind, use.ref)
        ):
            continue
        if meant is None:
            message = f"There is no {use.kind} {use.ref!r}."
            yield Problem(code="unknown_reference", pointer=use.pointer, message=message)
        elif meant.archived and meant.kind == "segment":
            message = f"The segment {use.ref!r} is archived: unarchive it first."
            yield Problem(code="unknown_reference", pointer=use.pointer, message=message)


def refuse_referents(kind: str, key: str, referents: Sequence[Referent], pointer: str = "") -> None:
    """Raise DomainError `in_use`, naming them, where something refers to a document."""
    if referents:
        users = ", ".join(dict.fromkeys(f"{r.kind} '{r.key}'" for r in referents))
        raise DomainError("in_use", f"The {kind} '{key}' is used by {users}.", pointer, tuple(referents))


def _archived(item: Incoming) -> Iterator[Problem]:
    """Nothing of an archived document changes; saying the same again, as a folder that is applied does, is none."""
    assert item.row is not None, "only what is stored is archived"
    if item.definition is not None and not same(item.definition.wire(), item.row.document):
        message = f"The {item.row.kind} '{item.row.key}' is archived: unarchive it first."
        yield Problem(code="locked", message=message)


def _read(raw: Any, stored: Stored) -> tuple[Definition | None, DefinitionRow | None, list[Problem]]:
    name = name_of(raw)
    row = stored.get(name) if name is not None else None
    kind = kind_of(raw)
    if kind is not None:
        raw, problems = unmasked(raw, row.document if row is not None else None, kind.secrets)
        if problems:
            # Read it without the mask, to find what else is wrong.
            _, others = read_definition(raw)
            return None, row, [*problems, *others]
    definition, problems = read_definition(raw)
    return definition, row, problems


def name_of(raw: Any) -> tuple[str, str] | None:
    """Kind and key of a raw document, None where it does not say both."""
    kind = kind_of(raw)
    if kind is None or not isinstance(raw.get("key"), str):
        return None
    return kind.kind_name(), raw["key"]


def _staged(item: Incoming, problems: list[Problem]) -> list[Problem]:
    """On a campaign that people may be in, what a start demands is demanded of a save as well."""
    if item.row is None or item.row.state not in LIVE_STATES:
        return problems
    return [problem.model_copy(update={"stage": "save"}) for problem in problems]


def _problems(item: Incoming, library: Library, *, sandbox: bool, private: Allowed) -> Iterator[Problem]:
    definition = item.definition
    assert definition is not None, "only readable documents are looked at"
    yield from definition.check(library)
    yield from missing(definition.uses(), library)
    yield from _archived_layouts(definition, item.row, library)
    yield from snippet_uses.nested(definition)
    for template in definition.templates():
        fault = check_syntax(template.source)
        if fault is not None:
            yield Problem(code="liquid_syntax", pointer=template.pointer, message=fault)
    for pointer, url in definition.addresses():
        wrong = fault_of(url)
        if wrong is not None and not (wrong.code == "private_address" and private(url)):
            yield Problem(code=wrong.code, pointer=pointer, message=wrong.message)
    yield from _changed(definition, item.row)
    yield from blank_subjects(definition)
    if isinstance(definition, TransactionalDefinition) and definition.on_liquid_error == "fail":
        yield from _roots(definition, "transactional", "transactional message")
    if not isinstance(definition, CampaignDefinition | BroadcastDefinition):
        return
    yield from _roots(definition, definition.trigger.type, _described(definition))
    if not sandbox:
        for channel, pointer in parts.channels(definition).items():
            if not library.has_way_out(channel):
                message = f"No enabled provider takes {channel}: make one, or set the blocks to off."
                yield Problem(code="channel_disabled", pointer=pointer, message=message, stage="start")
        yield from _models(definition)
    yield from sender_problems(definition, library, sandbox=sandbox)
    if isinstance(definition, CampaignDefinition):
        yield from _locked(definition, item.row)


def _models(campaign: CampaignDefinition | BroadcastDefinition) -> Iterator[Problem]:
    """Language models that this deployment does not reach."""
    for key, block in campaign.workflow.blocks.items():
        if isinstance(block, LlmBlock) and block.sending_state != "off" and not is_configured(block.provider):
            pointer = pointer_of(("workflow", "blocks", key, "provider"))
            message = f"This deployment does not reach the provider '{block.provider}': see SOJOURN_LLM__*."
            yield Problem(code="channel_disabled", pointer=pointer, message=message, stage="start")


def _described(campaign: CampaignDefinition | BroadcastDefinition) -> str:
    return (
        "broadcast" if isinstance(campaign, BroadcastDefinition) else f"campaign with a {campaign.trigger.type} trigger"
    )


def _roots(definition: Definition, trigger: str, described: str) -> Iterator[Problem]:
    """Templates that cannot do without what a trigger of this kind never has."""
    absent = absent_roots(trigger)
    for template in definition.templates():
        root = demanded(template.source, absent)
        if root is not None:
            message = f"A {described} never has a `{root}`: leave it out, or test for it."
            yield Problem(code="liquid_root", pointer=template.pointer, message=message)


def _changed(definition: Definition, row: DefinitionRow | None) -> Iterator[Problem]:
    """Fields that say something else than when the document was first written, and must not."""
    if row is None or not definition.unchanging:
        return
    document = definition.wire()
    for name in definition.unchanging:
        before = row.document.get(name)
        if not same(document.get(name), before):
            message = f"This stays {before!r}; make another {definition.kind} instead."
            yield Problem(code="immutable", pointer=f"/{name}", message=message)


def _locked(campaign: CampaignDefinition, row: DefinitionRow | None) -> Iterator[Problem]:
    if row is None or row.state not in LIVE_STATES:
        return
    before = row.document.get("trigger", {}).get("type")
    if before != campaign.trigger.type:
        message = f"The campaign is {row.state}: its trigger stays of type '{before}' until it is stopped."
        yield Problem(code="locked", pointer="/trigger/type", message=message)


def _archived_layouts(definition: Definition, row: DefinitionRow | None, library: Library) -> Iterator[Problem]:
    """Layouts that were put away, named by more messages than before (MSG-16)."""
    before = read_definition(row.document)[0] if row is not None else None
    for layout, now in _archived_uses(definition, library).items():
        known = _archived_uses(before, library).get(layout, []) if before is not None else []
        if len(now) > len(known):
            for use in now:
                if use.pointer not in {one.pointer for one in known}:
                    message = f"The layout {use.ref!r} is archived: choose another, or unarchive it first."
                    yield Problem(code="unknown_reference", pointer=use.pointer, message=message)


def _archived_uses(definition: Definition, library: Library) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for use in definition.uses():
        meant = library.find(use.kind, use.ref) if use.kind == "layout" else None
        if meant is not None and isinstance(meant.definition, LayoutDefinition) and meant.definition.archived:
            found.setdefault(meant.key, []).append(use)
    return found


def _warnings(definition: Definition, library: Library) -> Iterator[Problem]:
    yield from definition.warnings(library)
    yield from snippet_uses.unknown(definition, library)
    if isinstance(definition, CampaignDefinition | BroadcastDefinition):
        yield from nothing_sends(definition)


def nothing_sends(campaign: CampaignDefinition | BroadcastDefinition) -> Iterator[Problem]:
    """The warning that no message of a campaign leaves by itself."""
    if not parts.sends(campaign):
        message = "No message is automatic: people will pass through and nothing will be sent."
        yield Problem(code="nothing_sends", pointer="/workflow/blocks", message=message)
