"""Conditions on messages, devices and related objects in a running product (PPL-37, PPL-38, PPL-39, ACT-10)."""

from __future__ import annotations

from typing import Any

from tests.support.live import START, Workspace, campaign, email, on_event
from tests.support.moments import mails, members, messages, only_journey, segment, segments, standing

DAY = 86_400
ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}


async def report(workspace: Workspace, delivery: str, metric: str, **more: Any) -> None:
    body = {"delivery_id": delivery, "metric": metric, **more}
    answer = await workspace.client.post("/api/v1/metrics", json=body)
    assert answer.status_code == 200, answer.text
    await workspace.settle()


async def track_v2(workspace: Workspace, **body: Any) -> None:
    answer = await workspace.client.post("/api/v2/entity", json=body, headers=workspace.track_auth)
    assert answer.status_code == 200, answer.text


def offer(*paths: dict[str, Any]) -> dict[str, Any]:
    """A mail, a wait for what becomes of it, and a mail that says how that ended."""
    blocks = {
        "hello": email("Look", next="hold"),
        "hold": {"type": "wait_until", "paths": [*paths, {"key": "late", "max_time": "P3D", "next": "again"}]},
        "thanks": email("Thanks"),
        "again": email(
            "Again", conditions={"message": {"of": {"block": "hello"}, "status": "opened", "inverse": True}}
        ),
    }
    if not paths:
        del blocks["thanks"]
    return campaign("offer", on_event("hi"), "hello", blocks)


async def greeted(workspace: Workspace, *documents: dict[str, Any]) -> str:
    """The id of the one message to Ann, who waits after it."""
    await workspace.define(*documents)
    await workspace.start("offer")
    await workspace.identify("ann", email="ann@example.com")
    await workspace.track("ann", "hi")
    await workspace.settle()
    (message,) = await messages(workspace)
    return message["id"]


async def test_act_10_a_wait_for_a_click_on_the_workflows_own_mail(sandbox: Workspace):
    click = {"message": {"of": {"block": "hello"}, "status": "clicked", "mode": "is", "link": "x.io/pricing*"}}
    delivery = await greeted(sandbox, offer({"key": "clicked", "conditions": click, "next": "thanks"}))
    await report(sandbox, delivery, "clicked", href="https://x.io/imprint")
    assert standing(await only_journey(sandbox))[0] == "hold"
    await report(sandbox, delivery, "clicked", href="https://x.io/pricing?utm_source=mail")
    assert [subject for _, subject in await mails(sandbox)] == ["Look", "Thanks"]


async def test_act_10_only_what_happens_while_waiting_counts_for_is(sandbox: Workspace):
    ever = segment("clickers", {"message": {"channel": "email", "status": "clicked"}})
    opened = {"message": {"of": {"campaign": "offer", "block": "hello"}, "status": "opened", "mode": "is"}}
    delivery = await greeted(sandbox, ever, offer({"key": "opened", "conditions": opened, "next": "thanks"}))
    await report(sandbox, delivery, "delivered")
    assert await segments(sandbox, "ann") == set()
    await sandbox.advance("P3D")
    assert [subject for _, subject in await mails(sandbox)] == ["Look", "Again"]
    await report(sandbox, delivery, "clicked")
    assert await segments(sandbox, "ann") == {"clickers"}


async def test_ppl_37_opens_within_a_window_end_by_the_clock(sandbox: Workspace):
    warm = {"message": {"of": {"campaign": "offer"}, "status": "opened", "within": "P7D", "times": {"at_least": 2}}}
    cold = {"message": {"channel": "email", "status": "opened", "within": "P7D", "inverse": True}}
    delivery = await greeted(sandbox, segment("warm", warm), segment("cold", cold), offer())
    await report(sandbox, delivery, "opened")
    assert await segments(sandbox, "ann") == set()
    await sandbox.advance("P1D")
    await report(sandbox, delivery, "opened")
    assert await segments(sandbox, "ann") == {"warm"}
    await sandbox.advance(to=START + 7 * DAY - 1)
    assert await segments(sandbox, "ann") == {"warm"}
    await sandbox.advance("PT1S")
    assert await segments(sandbox, "ann") == set()
    await sandbox.advance("P1D")
    assert await segments(sandbox, "ann") == {"cold"}


async def test_ppl_38_and_39_devices_and_objects_make_members(sandbox: Workspace):
    await sandbox.define(
        ACCOUNT,
        segment(
            "phones", {"device": {"where": [{"field": "platform", "value": "ios"}, {"field": "beta", "value": True}]}}
        ),
        segment("no-device", {"device": {"inverse": True}}),
        segment(
            "pro-admins",
            {
                "related": {
                    "to": "account",
                    "object": {"field": "plan", "value": "pro"},
                    "relationship": {"field": "role", "value": "admin"},
                }
            },
        ),
    )
    for name in ("ann", "bob"):
        await sandbox.identify(name, email=f"{name}@example.com")
    for person, device, beta in (("ann", "d1", True), ("bob", "d2", False)):
        await track_v2(
            sandbox,
            type="person",
            action="add_device",
            identifiers={"id": person},
            device={"token": device, "platform": "ios", "attributes": {"beta": beta}},
        )
    for account, plan, person, role in (("acme", "free", "ann", "admin"), ("beta", "pro", "ann", "user")):
        await track_v2(
            sandbox,
            type="object",
            action="identify",
            identifiers={"object_type_id": "1", "object_id": account},
            attributes={"plan": plan},
            cio_relationships=[{"identifiers": {"id": person}, "relationship_attributes": {"role": role}}],
        )
    await sandbox.settle()
    assert await segments(sandbox, "ann") == {"phones"}
    assert await segments(sandbox, "bob") == set()
    await track_v2(
        sandbox,
        type="object",
        action="identify",
        identifiers={"object_type_id": "1", "object_id": "acme"},
        attributes={"plan": "pro"},
    )
    await track_v2(sandbox, type="person", action="delete_device", identifiers={"id": "bob"}, device={"token": "d2"})
    await sandbox.settle()
    assert await segments(sandbox, "ann") == {"phones", "pro-admins"}
    assert await members(sandbox, "no-device", ["ann", "bob"]) == ["bob"]
