"""Manual segment update in a running product: waits, messages and other campaigns around it (ACT-27, PPL-43)."""

from __future__ import annotations

from typing import Any

from tests.support.live import DAY, START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import delay, ended, mails, only_journey, segments, timeline, walked

VIP = {"kind": "segment", "key": "vip", "name": "VIP", "type": "manual"}
IN, OUT = {"segment": "vip"}, {"segment": {"key": "vip", "inverse": True}}


def update(action: str, following: str | None = None, **fields: Any) -> dict[str, Any]:
    """A block that changes who is in the segment."""
    return {"type": "segment_update", "segment": "vip", "action": action, "next": following, **fields}


TRIAL = campaign(
    "trial",
    on_event("begin"),
    "in",
    {
        "in": update("add", "hello"),
        "hello": email("Welcome", next="week", conditions=IN),
        "week": delay("P7D", "out"),
        "out": update("remove", "bye", conditions={"attribute": {"field": "paid", "inverse": True}}),
        "bye": email("Bye", conditions=OUT),
    },
)
WAIT = {"type": "wait_until", "paths": [{"key": "out", "conditions": OUT, "next": "mail"}]}
PATIENT = campaign("patient", on_match(IN), "wait", {"wait": WAIT, "mail": email("Come back")}, exit="never")
MEMBERS = campaign("members", on_match(IN), "d", {"d": delay("P30D")})


async def begun(workspace: Workspace, **attributes: Any) -> None:
    """Somebody in a trial, and in whatever else being a member leads to."""
    await workspace.define(VIP, TRIAL, PATIENT, MEMBERS)
    for key in ("trial", "patient", "members"):
        await workspace.start(key)
    await workspace.identify("7", email="ann@example.com", **attributes)
    await workspace.track("7", "begin")
    await workspace.settle()
    assert await segments(workspace, "7") == {"vip"}


async def test_act_27_somebody_is_a_member_for_the_time_of_a_journey(sandbox: Workspace) -> None:
    await begun(sandbox)
    await sandbox.advance("P8D")
    at = START + 7 * DAY
    assert await segments(sandbox, "7") == set()
    assert sorted(await mails(sandbox)) == [(START, "Welcome"), (at, "Bye"), (at, "Come back")]
    trial = await only_journey(sandbox, campaign="trial")
    assert walked(trial) == [(block, "done") for block in ("in", "hello", "week", "out", "bye")]
    segment = (await sandbox.get("/v1/segments/vip"))["segment"]["id"]
    noted = [(step["manual_segment_id"], step["add_to_manual_segment"]) for step in trial["steps"]]
    assert noted == [(segment, True), (None, None), (None, None), (segment, False), (None, None)]
    assert ended(await only_journey(sandbox, campaign="members")) == ("exited_early", "trigger", at)
    moves = [(e["at"], e["data"]["change"], e["data"]["reason"]) for e in await timeline(sandbox, "7", "segment")]
    assert moves == [(START, "entered", "Added by the campaign Trial"), (at, "left", "Removed by the campaign Trial")]


async def test_act_27_conditions_keep_somebody_in(sandbox: Workspace) -> None:
    await begun(sandbox, paid=True)
    await sandbox.advance("P8D")
    assert await segments(sandbox, "7") == {"vip"}
    assert await mails(sandbox) == [(START, "Welcome")]
    trial = await only_journey(sandbox, campaign="trial")
    assert walked(trial)[-2:] == [("out", "skipped"), ("bye", "skipped")]


async def test_act_27_the_segment_is_manual_there_and_kept_while_a_block_names_it(sandbox: Workspace) -> None:
    dynamic = {"kind": "segment", "key": "vip", "name": "VIP", "conditions": {"attribute": {"field": "vip"}}}
    answer = await sandbox.call("PUT", "/v1/definitions", {"definitions": [dynamic, TRIAL]}, status=422)
    found = {(error["code"], error["pointer"]) for error in answer["errors"]}
    blocks = "/definitions/1/workflow/blocks"
    assert found == {("segment_not_manual", f"{blocks}/{key}/segment") for key in ("in", "out")}
    answer = await sandbox.call("PUT", "/v1/definitions", {"definitions": [TRIAL]}, status=422)
    assert {error["code"] for error in answer["errors"]} == {"unknown_reference"}

    await sandbox.define(VIP, campaign("adding", on_event("begin"), "in", {"in": update("add")}))
    for method, path in (("DELETE", "/v1/definitions/segment/vip"), ("POST", "/v1/segments/vip/archive")):
        answer = await sandbox.call(method, path, status=409)
        (error,) = answer["errors"]
        assert error["code"] == "in_use"
    await sandbox.call("DELETE", "/v1/definitions/campaign/adding", status=204)
    await sandbox.settle()
    await sandbox.call("DELETE", "/v1/definitions/segment/vip", status=204)
