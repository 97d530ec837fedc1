"""Recipes that other services call: Stripe, a help desk, a survey tool, cohorts from elsewhere (CMP-40, CMP-09)."""

from __future__ import annotations

import json
from typing import Any

from stack.description import StackDescription
from tests.support.live import START, Workspace, campaign, email, on_event
from tests.support.moments import activities, attributes, ended, mails, person, subjects, walked
from tests.support.outside import called, captured, post, running
from tests.support.recipes import cooked

CUSTOMER = {"id": "cus_NffrFeUfNV2Hib", "object": "customer", "email": "jenny@example.com", "name": "Jenny Rosen"}
"""A customer as Stripe describes one."""


async def stripe(workspace: Workspace, at: str = "data.") -> None:
    """A campaign that links customers of Stripe; `at` is where in a call they stand."""
    link = {
        "type": "update_person",
        "target": {"email": {"from": f"trigger.{at}email"}},
        "set": {"id": {"from": f"trigger.{at}id"}, "stripe": True},
    }
    is_created = {
        "type": "true_false",
        "conditions": {"trigger": {"field": "type", "value": "customer.created"}},
        "then": "link",
    }
    blocks = {"is-created": is_created, "link": link}
    await running(workspace, "stripe", "is-created" if at else "link", blocks if at else {"link": link})


async def by_email(workspace: Workspace, address: str) -> dict[str, str]:
    """The attributes of whoever has the address."""
    return await attributes(workspace, address, id_type="email")


async def test_cmp_40_stripe_finds_people_by_their_address_and_makes_those_it_does_not_find(sandbox: Workspace):
    await stripe(sandbox)
    await sandbox.identify("jenny@example.com", plan="free")
    await called(sandbox, "stripe", {"type": "customer.created", "data": CUSTOMER})
    other = {**CUSTOMER, "id": "cus_2", "email": "new@example.com"}
    await called(sandbox, "stripe", {"type": "customer.created", "data": other})
    await called(sandbox, "stripe", {"type": "customer.deleted", "data": {**CUSTOMER, "id": "cus_9"}})
    found = await by_email(sandbox, "jenny@example.com")
    assert {name: found[name] for name in ("id", "plan", "stripe")} == {
        "id": "cus_NffrFeUfNV2Hib",
        "plan": "free",
        "stripe": "true",
    }
    assert (await person(sandbox, "cus_NffrFeUfNV2Hib"))["identifiers"]["email"] == "jenny@example.com"
    assert (await by_email(sandbox, "new@example.com"))["id"] == "cus_2"
    assert (await person(sandbox, "cus_2"))["identifiers"]["email"] == "new@example.com"


async def test_cmp_40_stripe_cannot_rename_who_has_an_id_already(sandbox: Workspace):
    await stripe(sandbox)
    await sandbox.identify("1", email="jenny@example.com")
    await called(sandbox, "stripe", {"type": "customer.created", "data": CUSTOMER})
    found = await by_email(sandbox, "jenny@example.com")
    assert (found["id"], found["stripe"]) == ("1", "true")
    assert await activities(sandbox, "1", "failed_attribute_change")


async def test_cmp_40_stripe_paths_are_whatever_arrives(sandbox: Workspace):
    await stripe(sandbox, at="")
    bare = await called(sandbox, "stripe", CUSTOMER)
    assert walked(bare) == [("link", "done")]
    assert (await by_email(sandbox, "jenny@example.com"))["id"] == "cus_NffrFeUfNV2Hib"
    wrapped = await called(sandbox, "stripe", {"data": {**CUSTOMER, "email": "new@example.com"}})
    assert (walked(wrapped), ended(wrapped)[:2]) == ([("link", "failed")], ("finished", "completed"))
    assert (await sandbox.get("/v1/customers", email="new@example.com"))["results"] == []


async def test_cmp_40_zendesk_urgent_tickets_go_to_slack(sandbox: Workspace):
    await cooked(sandbox, "tickets-to-slack")
    for number, priority in enumerate(("HIGH", "High", "low", None)):
        ticket = {"id": 35_436 + number, "priority": priority, "subject": "It does not start"}
        run = await called(sandbox, "tickets-to-slack", {"detail": {"ticket_event": {"ticket": ticket}}})
        assert ended(run) == ("finished", "completed", START)
    posted = [(mail["to"], mail["rendered"]["payload"]["text"]) for mail in await sandbox.mailbox(channel="slack")]
    assert posted == [(["#support"], f"Urgent: ticket {number}, It does not start") for number in (35_436, 35_437)]


async def test_cmp_40_zendesk_a_path_that_is_not_there_is_false(sandbox: Workspace):
    await cooked(sandbox, "tickets-to-slack")
    ticket = {"ticket": {"id": 1, "priority": "high"}}
    for payload in ({"detail": ticket}, {"detail": "ticket_event"}, {"detail": {"ticket_event": [ticket]}}, {}, [1]):
        run = await called(sandbox, "tickets-to-slack", payload)
        assert ended(run) == ("finished", "completed", START)
        assert walked(run) == [("urgent", "branched")]
        assert run["steps"][0]["path"] == "else"
    assert await captured(sandbox, "slack") == []


def answered(rating: Any, address: str = "ann@example.com", **more: Any) -> dict[str, Any]:
    """What the survey tool posts."""
    return {"response": {"user": {"email": address}, "rating": rating, **more}}


async def test_cmp_40_nps_becomes_an_event_and_the_event_a_letter(sandbox: Workspace):
    await cooked(sandbox, "nps")
    await sandbox.identify("1", email="ann@example.com")
    for rating in (9, 7, 6, 2):
        await called(sandbox, "nps-answers", answered(rating, text='too "slow"'))
    events = await activities(sandbox, "1", "event")
    assert events == [{"rating": rating, "text": 'too "slow"'} for rating in (9, 7, 6, 2)]
    # Once in ninety days, and seven is not below seven.
    (mail,) = await sandbox.mailbox(channel="email")
    assert "your honest 6." in mail["rendered"]["html"]
    (alert,) = await captured(sandbox, "slack")
    assert alert["payload"]["text"] == 'ann@example.com gave 2: too "slow"'


async def test_cmp_40_nps_of_somebody_unknown_makes_them_known(sandbox: Workspace):
    await cooked(sandbox, "nps")
    await called(sandbox, "nps-answers", answered("3", "new@example.com"))
    assert await mails(sandbox, channel="email") == [(START, "What went wrong?")]
    (alert,) = await captured(sandbox, "slack")
    assert alert["payload"]["text"] == "new@example.com gave 3: no words"


async def test_cmp_40_nps_names_match_apart_from_case_only(sandbox: Workspace):
    to_event = {
        "type": "send_event",
        "target": {"email": {"from": "trigger.response.user.email"}},
        "event": "nps",
        "data": {"rating": {"from": "trigger.response.rating"}},
    }
    low = {"field": "rating", "operator": "lte", "value": 7}
    await sandbox.define(
        campaign("same", on_event(" NPS ", where=low), "mail", {"mail": email("You gave {{ event.rating }}")}),
        campaign("other", on_event("NPM", where=low), "mail", {"mail": email("Never")}),
    )
    await sandbox.start("same")
    await sandbox.start("other")
    await running(sandbox, "survey", "to-event", {"to-event": to_event})
    for rating in (8, 7):
        await called(sandbox, "survey", answered(rating))
    assert await subjects(sandbox, channel="email") == ["You gave 7"]


BATCH = """{"batch": [{% for member in trigger.parameters.members %}
  {"type": "person", "identifiers": {"id": "{{ member.mixpanel_distinct_id }}"}, "action": "event",
   "name": {{ trigger.parameters.mixpanel_cohort_name | to_json }}, "attributes": {{ member | to_json }}}
  {%- unless forloop.last %},{% endunless %}{% endfor %}]}"""


def cohort(size: int) -> dict[str, Any]:
    """What Mixpanel posts of a cohort."""
    members = [
        {"mixpanel_distinct_id": f"m{n}", "email": f"m{n}@example.com", "$first_name": f'M"{n}', "visits": n}
        for n in range(size)
    ]
    parameters = {"mixpanel_cohort_name": 'The "fans"', "mixpanel_cohort_id": "7", "members": members}
    return {"action": "members", "parameters": parameters}


def sending(url: str, authorization: str = "Basic eDp5") -> dict[str, Any]:
    """The block that hands a cohort on to the batch endpoint of the Track API."""
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    request = {"method": "POST", "url": f"{url}/api/v2/batch", "headers": headers, "body": BATCH}
    return {"type": "webhook", "sending_state": "automatic", "request": request}


async def test_cmp_40_mixpanel_sends_a_cohort_of_a_thousand_as_one_batch(sandbox: Workspace):
    await running(sandbox, "mixpanel", "send", {"send": sending("https://track.example.com")})
    payload = cohort(1_000)
    run = await called(sandbox, "mixpanel", payload)
    assert walked(run) == [("send", "done")]
    (sent,) = await captured(sandbox, "webhook")
    request = sent["payload"]
    assert (request["method"], request["url"]) == ("POST", "https://track.example.com/api/v2/batch")
    assert json.loads(request["body"])["batch"] == [
        {
            "type": "person",
            "identifiers": {"id": member["mixpanel_distinct_id"]},
            "action": "event",
            "name": 'The "fans"',
            "attributes": member,
        }
        for member in payload["parameters"]["members"]
    ]


async def test_cmp_40_mixpanel_members_become_events_that_begin_a_campaign(sandbox: Workspace, stack: StackDescription):
    rule = {"channel": "webhook", "outcome": "pass_through", "url": f"{stack.api_url}/api/v2/batch"}
    await sandbox.call("PUT", "/v1/mailbox/faults", {"faults": [rule]})
    welcome = email("Hello {{ event['$first_name'] }}, {{ event.visits }}", message={"to": "{{ event.email }}"})
    await sandbox.define(campaign("fans", on_event('the "FANS"'), "welcome", {"welcome": welcome}))
    await sandbox.start("fans")
    await running(sandbox, "mixpanel", "send", {"send": sending(stack.api_url, sandbox.track_auth["Authorization"])})
    assert await post(sandbox, "mixpanel", cohort(3))
    await sandbox.settle()
    (mail,) = await sandbox.mailbox(channel="webhook")
    assert mail["outcome"] == "accepted"
    assert sorted(await subjects(sandbox, channel="email")) == [f'Hello M"{n}, {n}' for n in range(3)]
    assert (await person(sandbox, "m1"))["identifiers"]["id"] == "m1"


async def test_cmp_40_mixpanel_no_members_is_an_empty_batch_and_no_list_is_a_failure(sandbox: Workspace):
    await running(sandbox, "mixpanel", "send", {"send": sending("https://track.example.com")})
    empty = await called(sandbox, "mixpanel", cohort(0))
    without = await called(sandbox, "mixpanel", {"action": "members"})
    assert [walked(run) for run in (empty, without)] == [[("send", "done")], [("send", "failed")]]
    assert without["steps"][0]["explanation"] == "Variable 'trigger.parameters.members' is missing (in body)"
    (sent,) = await captured(sandbox, "webhook")
    assert json.loads(sent["payload"]["body"]) == {"batch": []}
