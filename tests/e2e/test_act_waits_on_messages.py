"""Waits for what becomes of a message: only what comes after their beginning lets out by `is` (PPL-37, ACT-12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.live import DAY, SENDER, START, Workspace, campaign, email, on_event
from tests.support.moments import mails, messages, segments

HOUR = 3_600
BLOCK = {"block": "hello"}


def waiting(*paths: dict[str, Any]) -> dict[str, Any]:
    blocks = {
        "hello": email("Hello", next="rest"),
        "rest": {"type": "time_delay", "duration": "PT1H", "next": "hold"},
        "hold": {"type": "wait_until", "paths": list(paths), "join": "mail"},
        "mail": email("Released"),
    }
    return campaign("c", on_event("go"), "hello", blocks)


def path(status: str, **body: Any) -> dict[str, Any]:
    return {"key": "out", "conditions": [{"message": {"of": BLOCK, "status": status, **body}}]}


async def begin(workspace: Workspace, *documents: dict[str, Any]) -> None:
    await workspace.define(SENDER, *documents)
    await workspace.start("c")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "go")
    await workspace.settle()


async def report(workspace: Workspace, metric: str, at: int, **fields: Any) -> None:
    (hello, *_) = await messages(workspace)
    body = {"delivery_id": hello["id"], "metric": metric, "timestamp": at, **fields}
    answer = await workspace.client.post("/api/v1/metrics", json=body, headers=workspace.track_auth)
    assert answer.status_code == 200, answer.text
    await workspace.settle()


@pytest.mark.parametrize("metric", ["clicked", "opened"])
async def test_a_click_lets_out_of_a_wait_for_it(sandbox: Workspace, metric: str):
    await begin(sandbox, waiting(path(metric, mode="is")))
    await sandbox.advance("PT2H")
    # A click is an open, too; in a sandbox all of it is of one instant with whatever else is reported then.
    await report(sandbox, "clicked", START + 2 * HOUR, href="https://x.io/pricing")
    assert await mails(sandbox) == [(START, "Hello"), (START + 2 * HOUR, "Released")]


async def test_what_was_clicked_before_the_wait_counts_for_has_ever_only(sandbox: Workspace):
    await begin(sandbox, waiting(path("clicked", mode="is")))
    await report(sandbox, "clicked", START, href="https://x.io/a")
    await sandbox.advance("PT2H")
    assert await mails(sandbox) == [(START, "Hello")]
    # Clicked again, while they wait.
    await report(sandbox, "clicked", START + 2 * HOUR, href="https://x.io/a")
    assert await mails(sandbox) == [(START, "Hello"), (START + 2 * HOUR, "Released")]


async def test_has_ever_counts_what_was_before(sandbox: Workspace):
    await begin(sandbox, waiting(path("clicked", link="x.io/a")))
    await report(sandbox, "clicked", START, href="https://x.io/a?utm=1")
    await sandbox.advance("PT1H")
    assert await mails(sandbox) == [(START, "Hello"), (START + HOUR, "Released")]


async def test_what_we_send_ourselves_moves_people_and_lets_out_of_waits(sandbox: Workspace):
    sent = {"message": {"channel": "email", "of": {"campaign": "c"}, "status": "sent"}}
    written = {"kind": "segment", "key": "written", "name": "Written", "conditions": [sent]}
    follow = campaign(
        "follow", {"type": "segment", "conditions": [{"segment": "written"}]}, "mail", {"mail": email("Follow")}
    )
    await sandbox.define(SENDER, waiting(path("sent")), written, follow)
    await sandbox.start("follow")
    await sandbox.start("c")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "go")
    await sandbox.settle()
    assert sorted(await mails(sandbox)) == [(START, "Follow"), (START, "Hello")]
    assert await segments(sandbox, "7") == {"written"}
    await sandbox.advance("PT2H")
    assert sorted(await mails(sandbox)) == [(START, "Follow"), (START, "Hello"), (START + HOUR, "Released")]


@pytest.mark.parametrize(("mode", "released"), [({}, START + DAY), ({"mode": "is"}, START + DAY + HOUR)])
async def test_act_case_10_a_receipt_of_yesterday_and_a_new_one(
    sandbox: Workspace, mode: dict[str, Any], released: int
):
    receipt = campaign("receipts", on_event("paid"), "receipt", {"receipt": email("Receipt")})
    sent = {"message": {"of": {"campaign": "receipts", "block": "receipt"}, "status": "sent", **mode}}
    blocks = {
        "hold": {"type": "wait_until", "paths": [{"key": "out", "conditions": sent, "next": "mail"}]},
        "mail": email("Released"),
    }
    await sandbox.define(SENDER, receipt, campaign("c", on_event("go"), "hold", blocks))
    await sandbox.start("receipts")
    await sandbox.start("c")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.track("7", "paid")
    await sandbox.advance("P1D")
    await sandbox.track("7", "go")
    await sandbox.advance("PT1H")
    await sandbox.track("7", "paid")
    await sandbox.settle()
    assert [at for at, subject in await mails(sandbox) if subject == "Released"] == [released]
