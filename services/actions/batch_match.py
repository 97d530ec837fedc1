"""Whom a batch update is for: a snapshot of those who match as the plan sees them, and no more than are allowed (ACT-26)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from domain.conditions import Condition, decide_at
from domain.facts import Facts
from domain.operators.eq import Eq
from domain.subjects import Attribute, Moment, Subject
from domain.trees import All, AnyOf, Leaf, Node
from ingest.reading import read_facts
from services.actions.base import ActionContext
from store.people import ReadPerson
from store.reads.candidates import candidates

MOST: Final = 1_000
PAGE: Final = 500
SPAN: Final = 32_000


async def matching(context: ActionContext, match: Condition) -> list[ReadPerson] | None:
    """Those who match, None where they are more than are allowed."""
    unit = context.unit
    conn, catalog = unit.conn, unit.catalog
    seen = context.facts
    customer: Any = context.person.profile if context.traveller is not None else {}
    narrower = Condition(_bound(match.root, seen))
    moment = Moment.of(context.at.at)
    found: list[ReadPerson] = []
    after = 0
    while True:
        page = await candidates(
            conn,
            catalog.workspace_id,
            narrower,
            catalog.segment_ids,
            after=after,
            limit=PAGE,
            span=SPAN,
            now=context.at.at,
        )
        if not page.range.people:
            return found
        facts = await read_facts(conn, catalog, page.rows, match.keys) if page.rows else {}
        for row in page.rows:
            theirs = replace(facts[row.person_id], journey=seen.journey, customer=customer)
            if decide_at(match, theirs, moment)[0]:
                found.append(row)
        if len(found) > MOST:
            return None
        after = page.range.until


def _bound(node: Node[Subject], facts: Facts) -> Node[Subject]:
    """The tree with looked-up single values in place of their paths, so that the database can look for them."""
    if isinstance(node, Leaf):
        return Leaf(_looked_up(node.body, facts), node.pointer)
    if isinstance(node, All | AnyOf):
        return type(node)(tuple(_bound(child, facts) for child in node.nodes))
    return replace(node, node=_bound(node.node, facts))


def _looked_up(subject: Subject, facts: Facts) -> Subject:
    comparison = subject.comparison if isinstance(subject, Attribute) else None
    if not isinstance(comparison, Eq) or not comparison.lookups:
        return subject
    bound = comparison.bound(facts)
    if bound is None or not isinstance(bound.value, str | int | float):
        return subject
    return Attribute(bound)


__all__ = ["MOST", "matching"]
