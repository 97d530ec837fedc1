"""Recipes about what people belong to: roles, features, waiting lists (CMP-40)."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Begin
from tests.support.live import DAY, START, Workspace, campaign, email, on_match
from tests.support.moments import ended, mails, messages, segment, segments, subjects, utc
from tests.support.outside import entity
from tests.support.recipes import cooked

ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}


async def test_cmp_40_roles_of_a_relationship(sandbox: Workspace):
    is_admin = {"field": "role", "value": "admin"}
    added = {"type": "relationship", "change": "added", "object_type": "account", "where": is_admin}
    became = {**added, "change": "changed"}
    hello = email("You lead {{ trigger.account.name }} as {{ customer._relationship.role }}")
    await sandbox.define(
        ACCOUNT,
        campaign("added", added, "hello", {"hello": hello}),
        campaign("became", became, "hello", {"hello": email("Now you lead {{ trigger.account.name }}")}),
    )
    await sandbox.start("added")
    for name in ("ann", "bob"):
        await sandbox.identify(name, email=f"{name}@example.com")
    await entity(sandbox, "acme", {"ann": {"role": "admin"}, "bob": {"role": "member"}}, name="Acme")
    await sandbox.settle()
    assert await subjects(sandbox) == ["You lead Acme as admin"]
    await sandbox.start("became")
    await entity(sandbox, "acme", {"bob": {"role": "admin"}})
    await entity(sandbox, "acme", {"ann": {"role": "admin"}})
    await sandbox.settle()
    assert await subjects(sandbox, to="bob@example.com") == ["Now you lead Acme"]
    assert len(await subjects(sandbox)) == 2
    # Another account is another relationship, and a journey of its own.
    await entity(sandbox, "other", {"ann": {"role": "admin"}}, name="Other")
    await sandbox.settle()
    assert (await subjects(sandbox, to="ann@example.com"))[1:].count("You lead Other as admin") == 1


def feature_adoption() -> list[dict[str, Any]]:
    """Accounts that have shared nothing for a month, with people who were here this month."""
    quiet = {"field": "last_shared", "operator": "before", "value": {"ago": "P30D"}}
    here = {"performed": {"event": "sign_in", "times": {"at_least": 1}, "within": "P30D"}}
    forgotten = segment("forgot-to-share", {"and": [{"related": {"to": "account", "object": quiet}}, here]})
    document = campaign(
        "adoption",
        on_match({"segment": "forgot-to-share"}),
        "tip",
        {"tip": email("Share with a colleague")},
        frequency={"mode": "every", "min_wait": "P30D"},
        goal={"event": "share_with_colleague", "within": "P7D", "of": "sent"},
    )
    return [ACCOUNT, forgotten, document]


async def test_cmp_40_feature_adoption_again_after_a_month_at_the_earliest(begin: Begin):
    workspace = await begin("2026-03-01T10:00")
    await workspace.define(*feature_adoption())
    await workspace.start("adoption")
    for name in ("ann", "bob"):
        await workspace.identify(name, email=f"{name}@example.com")
        await entity(workspace, f"{name}s", {name: {}}, last_shared=utc("2026-01-01T00:00"))
    await workspace.settle()
    assert await segments(workspace, "ann") == set()
    for name in ("ann", "bob"):
        await workspace.track(name, "sign_in")
    await workspace.settle()
    assert [at for at, _ in await mails(workspace)] == [utc("2026-03-01T10:00")] * 2

    # Ann shares within the week; her account is fresh again until April 4. Bob's is corrected twice within ten days.
    await workspace.advance(to=utc("2026-03-05T12:00"))
    await workspace.track("ann", "share_with_colleague")
    await entity(workspace, "anns", {}, last_shared=utc("2026-03-05T12:00"))
    await entity(workspace, "bobs", {}, last_shared=utc("2026-03-05T12:00"))
    await workspace.settle()
    assert [await segments(workspace, name) for name in ("ann", "bob")] == [set(), set()]
    await workspace.advance(to=utc("2026-03-10T12:00"))
    await entity(workspace, "bobs", {}, last_shared=utc("2026-01-01T00:00"))
    await workspace.advance(to=utc("2026-03-20T12:00"))
    await workspace.track("ann", "sign_in")
    await workspace.track("bob", "sign_in")
    await workspace.advance(to=utc("2026-04-10T12:00"))
    # Strictly before thirty days ago: one second after they are over. Bob's re-match came too early and is lost.
    again = utc("2026-04-04T12:00:01")
    assert [at for at, _ in await mails(workspace, to="ann@example.com")] == [utc("2026-03-01T10:00"), again]
    assert [at for at, _ in await mails(workspace, to="bob@example.com")] == [utc("2026-03-01T10:00")]
    first, second = await messages(workspace, customer="ann")
    assert first["metrics"]["converted"] == utc("2026-03-05T12:00")
    assert "converted" not in second["metrics"]
    # Nobody who has not been here for a month.
    await workspace.advance(to=utc("2026-04-21T12:00"))
    assert [await segments(workspace, name) for name in ("ann", "bob")] == [set(), set()]


async def people_of_a_webinar(workspace: Workspace) -> None:
    """Ann and Bob wait for a seat, Cleo does not; Ann has been to another webinar."""
    await cooked(workspace, "waitlist")
    for name in ("ann", "bob", "cleo"):
        await workspace.identify(name, email=f"{name}@example.com")
    await entity(workspace, "w-1", {"ann": {}}, name="Roses")
    await workspace.settle()
    people = {"ann": {"waiting_list": True}, "bob": {"waiting_list": True}, "cleo": {"waiting_list": False}}
    await entity(workspace, "w-2", people, name="Hedges", allow_registration=False)
    await workspace.settle()
    assert await workspace.journeys() == []
    await entity(workspace, "w-2", {}, allow_registration=True)
    await workspace.settle()


async def test_cmp_40_waitlist_tells_those_who_wait(sandbox: Workspace):
    await people_of_a_webinar(sandbox)
    invited = {mail["to"][0]: mail["rendered"] for mail in await sandbox.mailbox()}
    assert {to: rendered["fields"]["subject"] for to, rendered in invited.items()} == {
        "ann@example.com": "Seats for Hedges",
        "bob@example.com": "Seats for Hedges",
    }
    assert "<p>Hedges</p><p>Roses</p>" in invited["ann@example.com"]["html"].replace("\n", "").replace("  ", "")
    assert "Your webinars" not in invited["bob@example.com"]["html"]
    # Saying it again is no change, and neither is another attribute.
    await entity(sandbox, "w-2", {}, allow_registration=True, seats=5)
    await sandbox.settle()
    assert len(await sandbox.journeys()) == 2


async def test_cmp_40_waitlist_ends_for_whoever_takes_a_seat_there(sandbox: Workspace):
    await people_of_a_webinar(sandbox)
    await sandbox.advance("P1D")
    await sandbox.track("ann", "webinar_registration", {"webinar": "w-2"})
    await sandbox.track("bob", "webinar_registration", {"webinar": "w-1"})
    await sandbox.advance("P3D")
    (ann,), (bob,) = [await sandbox.journeys(customer=name) for name in ("ann", "bob")]
    assert (ended(ann), ann["converted_at"]) == (("exited_early", "goal", START + DAY), START + DAY)
    assert (ended(bob), bob["converted_at"]) == (("finished", "completed", START + 3 * DAY), None)
    assert (await mails(sandbox))[2:] == [(START + 3 * DAY, "Still a seat for you: Hedges")]


async def test_cmp_40_waitlist_ends_when_the_webinar_is_cancelled(sandbox: Workspace):
    await people_of_a_webinar(sandbox)
    await sandbox.advance("P1D")
    await entity(sandbox, "w-2", {}, cancelled=True)
    await sandbox.advance("P3D")
    assert [ended(journey) for journey in await sandbox.journeys()] == [("exited_early", "filters", START + DAY)] * 2
    assert len(await mails(sandbox)) == 2
