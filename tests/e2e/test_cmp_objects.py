"""Campaigns that objects and relationships begin, through the running product (CMP-08, CMP-21)."""

from __future__ import annotations

import pytest

from tests.support.live import Workspace, campaign, email
from tests.support.moments import subjects
from tests.support.outside import entity

pytestmark = pytest.mark.stack

CLASSES = {"kind": "object_type", "key": "class", "name": "Online Classes", "singular_name": "Online Class"}


async def test_cmp_case_21_the_mail_names_the_recipient_and_who_joined(sandbox: Workspace):
    trigger = {
        "type": "relationship",
        "change": "changed",
        "object_type": "class",
        "where": {"field": "role", "value": "subscriber"},
        "audience": {"relationship": {"field": "role", "value": "admin"}},
    }
    text = "Hi {{ customer.first_name }}! {{ trigger.customer.first_name }} just joined your {{ trigger.online_class.name }} class."
    await sandbox.define(CLASSES, campaign("tell", trigger, "mail", {"mail": email(text)}))
    await sandbox.identify("jeff", email="jeff@example.com", first_name="Jeff")
    await sandbox.identify("ali", email="ali@example.com", first_name="Ali")
    await entity(sandbox, "calc", {"jeff": {"role": "admin"}}, name="Calculus 1A")
    await sandbox.settle()
    await sandbox.start("tell")
    await entity(sandbox, "calc", {"ali": {"role": "subscriber"}})
    await sandbox.settle()
    assert await subjects(sandbox) == ["Hi Jeff! Ali just joined your Calculus 1A class."]
    await sandbox.call("POST", "/v1/campaigns/tell/stop", {"journeys": "finish"})
    await sandbox.call("POST", "/v1/campaigns/tell/restart", {"audience": "current_and_future"})
    await sandbox.settle()
    assert len(await subjects(sandbox)) == 2
