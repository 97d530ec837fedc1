"""`customerio-node` 5, unmodified, over https: what it reads and writes of sends, broadcasts and contents (APP-03 to APP-19)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.clients.driving import Driven, drive
from tests.clients.packages import HERE, NODE
from tests.clients.place import Place
from tests.support.live import DOMAIN, START, email
from tests.support.templates import RECEIPT, number_of


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def driven(place: Place, node_clients: Path, client_environment: dict[str, str]) -> Driven:
    """All calls, made by one process: one email and one trigger first."""
    workspace = place.workspace
    await workspace.identify("ann", email="ann@example.com")
    czech = {"languages": {"cs": {"subject": "Zpráva", "body": "<p>Ahoj</p>"}}}
    workflow = {"start": "mail", "blocks": {"mail": email("{{ trigger.headline }}", message=czech)}}
    news = {"kind": "broadcast", "key": "news", "name": "News", "workflow": workflow}
    receipt = {**RECEIPT, "message": {**RECEIPT["message"], **czech}}
    await workspace.define(DOMAIN, receipt, news)
    started = await workspace.call("POST", "/v1/broadcasts/news/start")
    given = place.told(
        packages=str(node_clients), receipt=await number_of(workspace, "receipt"), broadcast=started["id"]
    )
    return await drive([str(NODE), str(HERE / "node" / "reads.mjs")], given, client_environment)


def test_transactional_messages(driven: Driven):
    (listed,) = driven.answer("listTransactionalMessages")["messages"]
    assert (listed["name"], listed["trigger_name"]) == ("Receipt", "order_receipt")
    assert driven.answer("getTransactionalMessage")["message"] == listed
    (sent,) = driven.answer("getTransactionalMessageDeliveries")["messages"]
    assert (sent["id"], sent["subject"]) == (driven.answer("sent")["delivery_id"], "Order 17")
    contents = driven.answer("getTransactionalMessageContents")["contents"]
    assert sorted(content["language"] for content in contents) == ["", "cs"]
    assert (
        driven.answer("updateTransactionalMessageContent")["content"]["subject"] == "Order {{ trigger.number }} again"
    )


def test_languages_are_read_and_written(driven: Driven):
    (czech,) = driven.answer("getTransactionalMessageLanguage")["content"]
    assert (czech["language"], czech["subject"]) == ("cs", "Zpráva")
    assert driven.answer("updateTransactionalMessageLanguage")["content"]["subject"] == "Objednávka"
    assert driven.answer("getBroadcastActionLanguage")["action"]["subject"] == "Zpráva"
    assert driven.answer("updateBroadcastActionLanguage")["action"]["body"] == "<p>Ahoj</p>"


@pytest.mark.parametrize(
    ("step", "length"),
    [
        ("getTransactionalMessageMetrics", 2),
        ("getBroadcastMetrics", 2),
        ("getBroadcastActionMetrics", 3),
    ],
)
def test_series_are_as_long_as_asked_for_and_at_least_two(driven: Driven, step: str, length: int):
    series: dict[str, list[int]] = driven.answer(step)["metric"]["series"]
    assert {len(numbers) for numbers in series.values()} == {length}
    assert (sum(series["sent"]), sum(series["delivered"]), sum(series["bounced"])) == (1, 1, 0)


def test_links_are_there(driven: Driven):
    for step in ("getTransactionalMessageLinkMetrics", "getBroadcastMetricsLinks", "getBroadcastActionMetricsLinks"):
        assert driven.answer(step) == {"links": []}, step


def test_broadcasts_and_their_triggers(driven: Driven):
    (listed,) = driven.answer("listBroadcasts")["broadcasts"]
    assert (listed["name"], listed["type"], listed["state"]) == ("News", "triggered_broadcast", "running")
    assert driven.answer("getBroadcast")["broadcast"] == listed
    first, *_ = driven.answer("getBroadcastActions")["actions"]
    assert driven.answer("getBroadcastAction")["action"] == first
    assert driven.answer("updateBroadcastAction")["action"]["subject"] == "{{ trigger.headline }}!"
    (sent,) = driven.answer("getBroadcastMessages")["messages"]
    assert (sent["broadcast_id"], sent["action_id"], sent["subject"]) == (listed["id"], first["id"], "H")
    (trigger,) = driven.answer("getBroadcastTriggers")["triggers"]
    found = driven.answer("getBroadcastTriggerStatus")
    assert (found["id"], found["state"], found["processed_at"]) == (f"{listed['id']}-1", trigger["state"], START)
    assert driven.answer("getBroadcastTriggerErrors") == {"errors": [], "next": 0}


def test_messages(driven: Driven):
    sent = driven.answer("sent")["delivery_id"]
    (of_broadcast,) = driven.answer("getMessages")["messages"]
    assert of_broadcast["subject"] == "H"
    assert driven.answer("getMessage")["message"]["id"] == sent
    kept = driven.answer("getArchivedMessage")["archived_message"]
    assert (kept["id"], kept["body"], kept["forgotten"]) == (sent, "<p>hat</p>", False)


def test_snippets(driven: Driven):
    assert driven.answer("createSnippet")["snippet"]["value"] == "9-17"
    (snippet,) = driven.answer("getSnippets")["snippets"]
    assert (snippet["name"], snippet["value"]) == ("hours", "10-18")
    assert driven.answer("updateSnippet")["snippet"] == snippet
    assert driven.answer("deleteSnippet") == {}


def test_senders(driven: Driven):
    (sender,) = driven.answer("getSenderIdentities")["sender_identities"]
    assert sender["address"] == '"Team" <team@example.com>'
    assert driven.answer("getSenderIdentity")["sender_identity"] == sender
    assert {"campaigns", "sent_newsletters", "draft_newsletters"} <= set(driven.answer("getSenderIdentityUsedBy"))


def test_suppressed_addresses(driven: Driven):
    assert driven.answer("createSuppression") == {}
    for step in ("searchSuppression", "getSuppressions"):
        found = driven.answer(step)
        assert (found["category"], [one["email"] for one in found["suppressions"]]) == ("bounces", ["gone@example.com"])
    assert isinstance(driven.answer("getDomainSuppressions")["suppressions"], list)
    assert driven.answer("deleteSuppression") == {}


@pytest.mark.parametrize("step", ["getTransactionalMessage nothing", "getBroadcast nothing"])
def test_what_is_not_there_is_told_in_words(driven: Driven, step: str):
    error: dict[str, Any] = driven.error(step)
    assert error["status"] == 404
    assert "9999" in error["message"]
