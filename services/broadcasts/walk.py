"""Walking one recipient through a broadcast: the plans and actions of journeys, without a journey and without a wait (CHN-15)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from domain.blocks import Block, DataBlock, DeliveringBlock, StepBlock
from domain.condition_keys import MESSAGES, OBJECTS, Keys
from domain.effects import Act, Assign, Deliver, Exit, Goto
from domain.facts import Position
from domain.workflow_graph import next_after
from ingest.catalog import Campaign, Catalog
from ingest.records import RECIPIENT
from ingest.unit import Person, Unit
from services.actions import ACTIONS, ActionContext
from services.data_drafts import draft_action
from services.delivery_figures import reached
from services.delivery_making import Made, make_message
from services.passages import Passage
from services.providers import provider_for, use_of
from services.suppressions import looked_up
from services.variables import variables_of
from store import cohorts, deliveries

_OUTCOMES: Final = {"undeliverable": "skipped", "suppressed": "skipped", "failed": "failed", "drafted": "drafted"}


@dataclass
class Walk:
    """One page of recipients under way at one instant: what it has made so far, and what is to be counted of it."""

    unit: Unit
    catalog: Catalog
    broadcast: Campaign
    now: datetime
    link_base_url: str
    made: list[Made] = field(default_factory=list)
    passed: Counter[tuple[int, str]] = field(default_factory=Counter)
    """How often each action has come to which outcome."""
    at_once: bool = False
    """Whether conditions look at the messages that are made on the way, so that each is stored as it is made."""

    def __post_init__(self) -> None:
        self._nobody = self.unit.nobody()
        self._use = use_of(self.broadcast)

    async def one(self, passage: Passage, person: Person) -> None:
        """Walk one recipient from the first block to the end."""
        workflow = self.broadcast.definition.workflow
        key = workflow.start
        paths: dict[str, str] = {}
        here = Position(self.now, person.last_seq)
        while key is not None:
            block = workflow.blocks[key]
            facts = self._nobody if _asks_nothing(block) else self.unit.journey_facts(person, passage, paths)
            effect = block.plan(key, here, self.now, None, facts).effect
            named = getattr(block, "next", None)
            match effect:
                case Goto():
                    if effect.path is not None:
                        paths[key] = effect.path
                    named = effect.next
                    self._passed(key, f"branched/{effect.path}" if effect.path is not None else effect.outcome)
                case Exit():
                    self._passed(key, "exited")
                    return
                case Act():
                    await self._act(passage, person, key, block, effect.action)
                case Assign():
                    path = await self._path(person, key, effect)
                    if path is None:
                        self._passed(key, "exited")
                        return
                    paths[key], named = path, dict(effect.paths)[path]
                    self._passed(key, f"branched/{path}")
                case Deliver() if isinstance(block, DeliveringBlock):
                    await self._deliver(passage, person, key)
            key = next_after(workflow, key, named)

    def _passed(self, key: str, outcome: str) -> None:
        self.passed[self.broadcast.actions[key], outcome] += 1

    async def _deliver(self, passage: Passage, person: Person, key: str) -> None:
        made = make_message(
            self.catalog,
            self.broadcast,
            key,
            person,
            passage,
            now=self.now,
            link_base_url=self.link_base_url,
        )
        if made.row.status == "queued":
            # By which way it goes, should whoever hands it over die; who tries it again looks for one anew.
            way = provider_for(self.catalog, made.row.channel, self._use, made.message)
            made.row.provider = way.key if way is not None else None
        if self.at_once:
            made = await looked_up(self.unit.conn, self.catalog, made, self.now)
        self._passed(key, _OUTCOMES.get(made.row.status, "done"))
        self.made.append(made)
        if self.at_once and await deliveries.insert(self.unit.conn, made.row, made.rendered):
            await reached(self.unit, made.row, tuple(made.row.metrics), RECIPIENT)

    async def _act(self, passage: Passage, person: Person, key: str, block: Block, action: str) -> None:
        if isinstance(block, DataBlock) and block.sending_state == "draft":
            await draft_action(self.unit, self.broadcast, passage, key, block, now=self.now)
            self._passed(key, "drafted")
            return
        variables = variables_of(self.catalog, self.broadcast, person, passage)
        here = Position(self.now, person.last_seq)
        context = ActionContext(self.unit, person, passage, self.broadcast, block, here, variables, key)
        self._passed(key, (await ACTIONS[action](context)).outcome)

    async def _path(self, person: Person, key: str, effect: Assign) -> str | None:
        """The path of the person's object (ACT-15); None for somebody who has several, and leaves."""
        conn, workspace_id = self.unit.conn, self.catalog.workspace_id
        number = self.catalog.directory.id_of("object_type", effect.object_type)
        objects = [] if number is None else await cohorts.objects_of(conn, workspace_id, person.person_id, number)
        if len(objects) > 1:
            return None
        if not objects:
            return effect.drawn
        action_id, paths = self.broadcast.actions[key], [path for path, _ in effect.paths]
        return await cohorts.assigned(conn, workspace_id, action_id, objects[0], drawn=effect.drawn, paths=paths)


def _asks_nothing(block: Block) -> bool:
    """Whether its plan is the same whoever comes."""
    return isinstance(block, StepBlock) and block.conditions is None


def keys_of(catalog: Catalog, broadcast: Campaign) -> Keys:
    """What walking looks at of people: what blocks ask and templates list, and everything where blocks change people."""
    found = broadcast.template_keys
    if catalog.compiled.shared_texts_read_objects:
        found |= Keys(records=frozenset({OBJECTS}))
    for block in broadcast.definition.workflow.blocks.values():
        for condition in block.needs_conditions():
            found |= condition.keys
    return catalog.compiled.keys | found if broadcast.writes else found


def is_plain(broadcast: Campaign, keys: Keys) -> bool:
    """Whether all that comes of a recipient is messages, made of the row of their person alone."""
    blocks = broadcast.definition.workflow.blocks.values()
    seen = Keys(attributes=keys.attributes, clock=keys.clock, age=keys.age)
    return not broadcast.writes and keys == seen and not any(block.type == "random_cohort" for block in blocks)


def sees_messages(keys: Keys) -> bool:
    """Whether conditions look at messages, those that are made on the way among them."""
    return MESSAGES in keys.record_kinds


__all__ = ["Walk", "is_plain", "keys_of", "sees_messages"]
