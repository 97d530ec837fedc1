"""What the reference of the fault runs says, held against ways worked out by hand."""

from __future__ import annotations

import pytest

from bench.errand import CAMPAIGN, ENDINGS, Traveller, expected
from bench.ordeal import Verdict
from domain.definitions import CampaignDefinition, read_definition

PAYS = ("welcome done", "pause done", "tier branched then", "perk done", "answer branched paid", "thanks done")
CANCELS = (
    "welcome done",
    "pause done",
    "tier branched else",
    "answer branched cancelled",
    "count done",
    "closing done",
)


def test_a_way_worked_out_by_hand():
    way = expected(Traveller(0))
    assert way.steps == (*PAYS, "count done", "closing skipped"), "on the better plan, pays, and is quiet"
    assert way.subjects == ("perk traveller-0", "thanks traveller-0", "welcome traveller-0")
    assert expected(Traveller(1)).steps == CANCELS
    assert expected(Traveller(1)).subjects == ("closing traveller-1", "welcome traveller-1")
    silent = expected(Traveller(2))
    assert silent.steps[3:] == ("answer branched late", "remind done", "count done", "closing done")


def test_people_go_every_way():
    people = [Traveller(number) for number in range(300)]
    assert {person.ending for person in people} == set(ENDINGS)
    assert len({expected(person).steps for person in people}) == 12


def test_the_campaign_is_a_valid_one():
    definition, _ = read_definition(CAMPAIGN)
    assert isinstance(definition, CampaignDefinition)
    mentioned = {step.split()[0] for number in range(300) for step in expected(Traveller(number)).steps}
    assert mentioned == set(definition.workflow.blocks)


@pytest.mark.parametrize("fault", ["astray", "doubled", "missing"])
def test_one_fault_is_enough(fault):
    good = Verdict(2, 2, [], [], [], ["a message nobody can tell of"])
    assert good.flawless
    assert not good._replace(**{fault: ["x"]}).flawless
    assert not good._replace(finished=1).flawless
