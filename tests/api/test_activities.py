"""The activity log over HTTP (APP-09, APP-10, PPL-18): shapes, words, filters, pages, people not known yet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.management.activities import Activities
from clock import system_now
from domain.ids import cio_id
from services.looking import activity_words as words
from store.reads import activities as reads
from tests.api.conftest import Keys
from tests.support.looking import PAYING, START, UNIX, WELCOME, Scene
from tests.support.working import apply_all

ULID = 26


@pytest.fixture
async def here(workspace) -> Scene:
    made = Scene(workspace.db, workspace.id)
    await made.define(WELCOME, PAYING)
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE workspaces SET clock_now = $2 WHERE workspace_id = $1", workspace.id, START)
    return made


async def get(keys: Keys, path: str = "/v1/activities", status: int = 200, **params):
    answer = await keys.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def types(keys: Keys, path: str = "/v1/activities", **params) -> list[str]:
    return [act["type"] for act in (await get(keys, path, **params))["activities"]]


async def walked(keys: Keys, path: str = "/v1/activities", **params) -> list[dict]:
    found, start = [], ""
    while True:
        page = await get(keys, path, start=start, **params)
        found += page["activities"]
        start = page["next"]
        if not start:
            return found


async def test_what_calls_lead_to_in_the_vendors_words(workspace):
    await workspace.put("7", {"email": "ann@example.com", "plan": "basic"})
    await workspace.put("7", {"plan": "pro", "seats": 3})
    await workspace.track("POST", "/api/v1/customers/7/events", {"name": "bought", "data": {"price": 3}, "id": "e1"})
    await workspace.put("8", {"email": "ann@example.com"})
    await apply_all(workspace.db)
    answer = await get(workspace)
    Activities.model_validate(answer)
    acts = answer["activities"]
    who = acts[1]["customer_identifiers"]
    assert (who["id"], who["email"], acts[1]["customer_id"]) == ("7", "ann@example.com", "7")
    assert all(len(act["id"]) == ULID and act["timestamp"] == act["processed_at"] for act in acts)
    assert len({act["id"] for act in acts}) == len(acts)
    assert [act["type"] for act in acts] == [
        "failed_attribute_change",
        "event",
        "attribute_change",
        "attribute_change",
        "profile_create",
    ]
    _, event, second, first, made = acts
    assert (event["name"], event["data"]) == ("bought", {"price": 3})
    assert second["data"] == {"plan": {"from": "basic", "to": "pro"}, "seats": {"from": None, "to": 3}}
    assert first["data"]["plan"] == {"from": None, "to": "basic"}
    assert made["data"] == {"id": "7"}


async def test_filters(workspace):
    await workspace.put("7", {"plan": "pro"})
    await workspace.put("8", {"city": "Rome"})
    for name in ("bought", "seen"):
        await workspace.track("POST", "/api/v1/customers/7/events", {"name": name})
    await apply_all(workspace.db)
    assert await types(workspace, type="event") == ["event", "event"]
    assert await types(workspace, name="bought") == ["event"]
    assert await types(workspace, name="city") == ["attribute_change"]
    assert await types(workspace, name="bought", type="attribute_change") == []
    assert await types(workspace, type="profile_create") == ["profile_create"] * 2
    assert await types(workspace, customer_id="8") == ["attribute_change", "profile_create"]
    assert await types(workspace, customer_id="nobody") == []
    assert await types(workspace, "/v1/customers/7/activities", name="plan") == ["attribute_change"]
    assert await types(workspace, "/v1/customers/7/activities", type="event", name="seen") == ["event"]
    await get(workspace, "/v1/customers/nobody/activities", 404)
    await get(workspace, status=400, customer_id="7", id_type="phone")
    for kind in ("dropped_whatasapp", "_o:1:create", "_r:12:attribute_change", "webhook_event"):
        assert await types(workspace, type=kind) == []
    (error,) = (await get(workspace, status=400, type="gossip"))["errors"]
    assert error["pointer"] == "/type"


async def test_the_name_of_an_attribute_finds_every_change_of_it(workspace):
    entity = {
        "type": "object",
        "action": "identify",
        "identifiers": {"object_type_id": "1", "object_id": "acme"},
        "attributes": {"tier": "gold"},
        "cio_relationships": [{"identifiers": {"id": "7"}, "relationship_attributes": {"role": "x"}}],
    }
    await workspace.track("POST", "/api/v2/entity", entity)
    entity["cio_relationships"][0]["relationship_attributes"] = {"role": "owner"}
    await workspace.track("POST", "/api/v2/entity", entity)
    await workspace.put("7", {"email": "ann@example.com"})
    await workspace.put("8", {})
    await workspace.put("8", {"email": "ann@example.com"})
    await apply_all(workspace.db)
    assert await types(workspace, name="tier") == ["_o:1:attribute_change"]
    assert await types(workspace, name="role") == ["relationship_attribute_change"]
    assert await types(workspace, "/v1/customers/7/activities", name="role") == ["relationship_attribute_change"]
    assert await types(workspace, name="email") == ["failed_attribute_change", "attribute_change"]
    assert await types(workspace, "/v1/customers/8/activities", name="email") == ["failed_attribute_change"]


async def test_pages_are_ten_and_at_most_a_hundred(workspace):
    for n in range(120):
        await workspace.track("POST", "/api/v1/customers/7/events", {"name": f"e{n % 2}"})
    await apply_all(workspace.db)
    for path in ("/v1/activities", "/v1/customers/7/activities"):
        assert len((await get(workspace, path))["activities"]) == 10
        assert len((await get(workspace, path, limit=500))["activities"]) == 100
        whole = await walked(workspace, path, limit=7)
        assert len(whole) == 121
        assert len({act["id"] for act in whole}) == 121
        assert len(await walked(workspace, path, limit=11, name="e1")) == 60
        await get(workspace, path, 400, limit=0)
        await get(workspace, path, 400, start="e30")


async def test_a_search_in_vain_goes_on_where_it_stopped(workspace, here, monkeypatch):
    """What is asked for stands far down: a page may be empty, and still not be the last."""
    monkeypatch.setattr(reads, "SCAN_ROWS", 3)
    ann = await here.person("7")
    await here.activity(ann, "profile_merge", None, {})
    for n in range(40):
        await here.activity(ann, "event", f"e{n}", {"data": {}})
    page = await get(workspace, type="profile_merge")
    assert (page["activities"], bool(page["next"])) == ([], True)
    assert [act["type"] for act in await walked(workspace, type="profile_merge")] == ["profile_merge"]
    assert len(await walked(workspace)) == 41


async def test_thirty_days(workspace, here):
    ann = await here.person("7")
    await here.activity(ann, "event", "old", {"data": {}}, at=START - timedelta(days=31))
    await here.activity(ann, "event", "new", {"data": {}}, at=START - timedelta(days=29))
    for path in ("/v1/activities", "/v1/customers/7/activities"):
        assert [act["name"] for act in (await get(workspace, path))["activities"]] == ["new"]


async def test_what_became_of_messages(workspace, here):
    ann = await here.person("7", "ann@example.com")
    await here.activity(ann, "event", "bought", {"data": {"price": 3}})
    await here.delivery("D", ann, at=START + timedelta(seconds=2), campaign_id=here.campaigns["welcome"], block="hello")
    acts = (await get(workspace, "/v1/customers/7/activities"))["activities"]
    assert [act["type"] for act in acts] == ["delivered_email", "sent_email", "event"]
    delivered = acts[0]
    assert (delivered["delivery_id"], delivered["delivery_type"]) == ("D", "email")
    assert delivered["data"] == {"delivery_id": "D", "delivered": delivered["timestamp"], "opened": None}
    assert await types(workspace, "/v1/customers/7/activities", type="sent_email") == ["sent_email"]
    assert await types(workspace, type="sent_email") == ["sent_email"]
    assert (await get(workspace, type="sent_email"))["activities"][0] == acts[1]
    assert await types(workspace, type="sent_push") == await types(workspace, type="opened_email") == []
    assert await types(workspace) == ["event"]


async def test_somebody_who_is_gone(workspace):
    await workspace.put("7", {"email": "ann@example.com", "plan": "pro"})
    await workspace.put("8", {})
    await apply_all(workspace.db)
    number = (await get(workspace, customer_id="7"))["activities"][0]["customer_identifiers"]["cio_id"]
    await workspace.track("DELETE", "/api/v1/customers/7")
    await apply_all(workspace.db)
    gone = (await get(workspace, deleted=True))["activities"]
    assert [act["type"] for act in gone] == ["profile_delete", "attribute_change", "profile_create"]
    assert all(act["customer_identifiers"] == {"id": None, "email": None, "cio_id": number} for act in gone)
    assert "ann@example.com" not in str(gone)
    assert await types(workspace, deleted=False) == ["profile_create"]
    assert len((await get(workspace))["activities"]) == 4


async def test_what_nobody_known_did_is_a_list_of_its_own(workspace):
    for name in ("cart", "/shop"):
        kind = "page" if name.startswith("/") else "event"
        body = {"name": name, "anonymous_id": "a1", "type": kind, "data": {"n": 1}}
        await workspace.track("POST", "/api/v1/events", body)
    await apply_all(workspace.db)
    assert await types(workspace) == []
    acts = (await get(workspace, anonymous=True))["activities"]
    Activities.model_validate({"activities": acts, "next": ""})
    assert [(act["type"], act["name"], act["data"]) for act in acts] == [
        ("page", "/shop", {"n": 1}),
        ("event", "cart", {"n": 1}),
    ]
    assert all(act["anonymous_id"] == "a1" and "processed_at" not in act for act in acts)
    assert len(await walked(workspace, anonymous=True, limit=1)) == 2
    assert await types(workspace, anonymous=True, type="page") == await types(workspace, anonymous=True, name="/shop")
    await workspace.put("7", {"anonymous_id": "a1"})
    await apply_all(workspace.db)
    assert await types(workspace, anonymous=True) == []
    assert await types(workspace, type="anon_merge") == ["anon_merge"]
    assert await types(workspace, customer_id="7", type="page") == ["page"]


async def test_what_is_old_when_it_comes_in_is_not_listed_either(workspace):
    for days in (29, 31):
        at = int((system_now() - timedelta(days=days)).timestamp())
        await workspace.track("POST", "/api/v1/events", {"name": f"d{days}", "anonymous_id": "a1", "timestamp": at})
    await apply_all(workspace.db)
    assert [act["name"] for act in (await get(workspace, anonymous=True))["activities"]] == ["d29"]


def test_every_documented_word_is_known():
    documented = """add_relationship anon_merge attribute_change delete_relationship device_change event
        failed_attribute_change failed_batch_update failed_event failed_object_journeys failed_query_collection page
        profile_create profile_delete profile_merge relationship_attribute_change
        relationship_failed_attribute_change screen skipped_update webhook_event spammed_email suppressed_twilio
        suppressed_whatsapp topic_unsubscribed_email unsubscribed_action unsubscribed_email clicked_content
        converted_content viewed_content dropped_whatasapp sent_email delivered_in_app failed_webhook"""
    assert set(documented.split()) <= words.KNOWN
    for word in words.METRIC_TYPES:
        assert words.metric_type(*words.metric_of(word)) == words.spelled(word)


async def test_forgotten_lines_say_nothing(workspace, here):
    await here.activity(None, "profile_delete", None, {"cio_id": cio_id(77)})
    await here.activity(None, "failed_event", None, {"forgotten": True})
    acts = (await get(workspace))["activities"]
    assert [act["customer_identifiers"] for act in acts] == [None, {"id": None, "email": None, "cio_id": cio_id(77)}]
    assert acts[0]["timestamp"] == UNIX
