"""Who a trigger is for: found when its turn comes, frozen, with data of their own (CHN-17 to CHN-19, CHN-22)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from domain.operations import Identifier, Identify
from tests.support.broadcasting import Broadcasting, broadcast, email
from tests.support.database import Room

URL = "https://u:secret@files.example.com/people.jsonl"
WILEY, ROAD = {"id": "wiley"}, {"email": "road@example.com"}


@pytest.fixture
async def cast(room: Room) -> Broadcasting:
    cast = Broadcasting(room)
    subject = "{{ trigger.headline }} {{ trigger.voucher_code | default: '-' }}"
    await cast.define(broadcast(blocks={"mail": email(message={"subject": subject})}))
    return cast


def segment(key: str, field: str) -> dict[str, Any]:
    return {"kind": "segment", "key": key, "name": key, "conditions": {"attribute": {"field": field}}}


async def number_of(room: Room, key: str) -> int:
    (row,) = await room.rows(
        "SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment' AND key = $2", key
    )
    return int(row["definition_id"])


async def file(cast: Broadcasting, *lines: Any, status: int = 200) -> None:
    text = "\n".join(line if isinstance(line, str) else orjson.dumps(line).decode() for line in lines)
    await cast.faults({"channel": "webhook", "outcome": "answer", "status": status, "body": text})


async def test_chn_case_17_addresses_of_several_people_mean_all_of_them(room: Room) -> None:
    cast = Broadcasting(room)
    settings = {"kind": "settings", "key": "workspace", "identifiers": "id_only"}
    await cast.define(settings, broadcast())
    await cast.people("1", "2", email="wiley@coyote.com")
    await cast.people("3", email="John@Coyote.com")
    emails = ["wiley@coyote.com", "john@coyote.com", "matt@coyote.com"]
    flags = {"email_ignore_missing": True, "email_add_duplicates": True}
    ref = await cast.send(audience={"emails": emails, **flags})
    assert [row["id"] for row in await cast.deliveries(ref)] == ["1", "2", "3"]
    entries = [{"email": "wiley@coyote.com", "data": {}}, {"email": "matt@coyote.com", "data": {}}]
    ref = await cast.send(audience={"per_user_data": entries})
    assert await cast.errors(ref) == [
        "line 1: the following emails belong to more than one person: wiley@coyote.com",
        "line 2: the following emails are missing: matt@coyote.com",
    ]
    assert ((await cast.state(ref))["state"], await cast.deliveries(ref)) == ("failed", [])


async def test_ids_are_taken_in_their_order_each_once_and_those_that_went_meanwhile_are_passed_over(
    cast: Broadcasting,
) -> None:
    await cast.people("wiley", "road", "12")
    ref = await cast.send(audience={"ids": ["road", "12", "gone", "road", "wiley"], "id_ignore_missing": False})
    assert await cast.audience(ref) == ["road", "12", "wiley"]
    assert (await cast.state(ref))["recipients_count"] == 3


async def test_chn_case_19_the_filter_means_what_its_words_say(cast: Broadcasting, room: Room) -> None:
    await room.define(segment("three", "in_three"))
    await cast.people("out", in_three=1, species="roadrunners", state="AZ")
    await cast.people("new_mexico", in_three=1, species="roadrunners", state="NM")
    await cast.people("nothing", in_three=1)
    await cast.people("elsewhere", state="NM")
    attribute = {"operator": "eq"}
    ref = await cast.send(
        audience={
            "recipients": {
                "and": [
                    {"segment": {"id": await number_of(room, "three")}},
                    {
                        "or": [
                            {"attribute": {"field": "interest", "value": "roadrunners", **attribute}},
                            {"attribute": {"field": "state", "value": "NM", **attribute}},
                            {"not": {"attribute": {"field": "species", "value": "roadrunners", **attribute}}},
                        ]
                    },
                ]
            }
        }
    )
    assert await cast.audience(ref) == ["new_mexico", "nothing"]


async def test_chn_case_22_a_filter_in_the_call_takes_the_place_of_the_broadcast_s_own(
    cast: Broadcasting, room: Room
) -> None:
    await room.define(segment("one", "one"), segment("two", "two"))
    await cast.define(broadcast(recipients={"segment": "one"}))
    await cast.people("ann", one=1)
    await cast.people("bob", two=1)
    ref = await cast.send(audience={"recipients": {"segment": {"id": await number_of(room, "two")}}})
    assert await cast.audience(ref) == ["bob"]
    assert await cast.audience(await cast.send()) == ["ann"]


async def test_chn_case_23_data_of_one_recipient_takes_the_place_of_that_of_all(cast: Broadcasting) -> None:
    await cast.people("wiley", "road", "other")
    entries = [{**WILEY, "data": {"voucher_code": "FESwYm"}}, {**ROAD, "data": {}}]
    ref = await cast.send(audience={"per_user_data": entries}, headline="H", voucher_code="NONE")
    assert await cast.said(ref) == [("wiley", "H FESwYm"), ("road", "H NONE")]


@pytest.mark.parametrize("twice", [False, True])
async def test_who_is_named_twice_has_the_later_data_or_gets_both(cast: Broadcasting, twice: bool) -> None:
    await cast.people("wiley", "road")
    entries = [
        {**WILEY, "data": {"voucher_code": "1"}},
        {**ROAD, "data": {"voucher_code": "2"}},
        {"email": "WILEY@example.com", "data": {"voucher_code": "3"}},
    ]
    ref = await cast.send(audience={"per_user_data": entries, "email_add_duplicates": twice})
    first = [("wiley", "News 1"), ("road", "News 2")] if twice else [("wiley", "News 3"), ("road", "News 2")]
    assert await cast.said(ref) == [*first, *([("wiley", "News 3")] if twice else [])]


async def test_a_file_names_its_recipients_line_by_line(cast: Broadcasting) -> None:
    await cast.people("wiley", "road", "12")
    lines = [{**WILEY, "data": {"voucher_code": "F"}}, "", {**ROAD}, {"id": 12, "data": {}}, {**WILEY, "data": {}}]
    await file(cast, *lines)
    ref = await cast.send(audience={"data_file_url": URL})
    assert await cast.said(ref) == [("wiley", "News -"), ("road", "News -"), ("12", "News -")]
    state = await cast.state(ref)
    assert state["data_bytes"] == len("\n".join(x if isinstance(x, str) else orjson.dumps(x).decode() for x in lines))
    assert state["audience"]["data_file_url"] == "https://files.example.com/people.jsonl"


async def test_any_error_in_a_file_blocks_the_whole_broadcast(cast: Broadcasting) -> None:
    await cast.people("wiley")
    await file(cast, WILEY, "{oops", {"id": "nobody"}, {"email": "no@example.com", "data": {"a": 1}}, {"data": {}})
    ref = await cast.send(audience={"data_file_url": URL})
    assert await cast.errors(ref) == [
        "line 2: couldn't parse json data",
        "line 3: the following ids are missing: nobody",
        "line 4: the following emails are missing: no@example.com",
        "line 5: couldn't parse json data",
    ]
    state = await cast.state(ref)
    assert (state["state"], state["error_count"], state["processed_at"]) == ("failed", 4, None)
    assert (await cast.audience(ref), await cast.deliveries(ref)) == ([], [])
    flags = {"id_ignore_missing": True, "email_ignore_missing": True}
    await file(cast, WILEY, {"id": "nobody"}, {"email": "no@example.com"})
    assert await cast.audience(await cast.send(audience={"data_file_url": URL, **flags})) == ["wiley"]


async def test_a_file_that_is_not_there_fails_the_trigger_and_the_next_has_its_turn(cast: Broadcasting) -> None:
    await cast.people("wiley")
    await cast.faults({"channel": "webhook", "outcome": "http_status", "status": 403})
    ref, following = await cast.trigger(audience={"data_file_url": URL}), await cast.trigger()
    await cast.woken()
    turn = await cast.run(ref)
    assert (turn.state, turn.over) == ("failed", True)
    assert await cast.errors(ref) == ["failed to download data file, server responded with code 403 Forbidden"]
    assert await cast.woken() == [following.trigger_no]
    assert "secret" not in str(await cast.state(ref))


async def test_a_server_that_fails_is_asked_three_times(cast: Broadcasting) -> None:
    await cast.people("wiley")
    away = {"channel": "webhook", "outcome": "http_status", "status": 503, "times": 2}
    await cast.faults(away, {"channel": "webhook", "outcome": "answer", "body": '{"id":"wiley"}\n'})
    ref = await cast.send(audience={"data_file_url": URL})
    assert await cast.audience(ref) == ["wiley"]
    await cast.faults({**away, "times": 3}, {"channel": "webhook", "outcome": "answer", "body": '{"id":"wiley"}\n'})
    ref = await cast.send(audience={"data_file_url": URL})
    assert await cast.errors(ref) == [
        "failed to download data file, server responded with code 503 Service Unavailable"
    ]


async def test_chn_case_27_edits_show_in_what_is_not_made_yet_and_never_in_the_audience(room: Room) -> None:
    cast = Broadcasting(room, page=500)
    await room.define(segment("all", "member"))
    await cast.define(broadcast(recipients={"segment": "all"}, blocks={"mail": email(message={"subject": "old"})}))
    await room.apply(
        *(
            Identify(subject=Identifier(kind="id", value=f"p{n}"), attributes={"email": f"p{n}@x.io", "member": 1})
            for n in range(300)
        )
    )
    ref = await cast.trigger(rate={"limit": 1_000, "per": "second"})
    await cast.run(ref)
    assert len(await cast.deliveries(ref)) == 100
    await cast.define(broadcast(recipients={"segment": "all"}, blocks={"mail": email(message={"subject": "new"})}))
    await cast.people("late", member=1)
    await room.apply(Identify(subject=Identifier(kind="id", value="p299"), attributes={"member": ""}))
    while not (await cast.run(ref)).over:
        await cast.next()
    rows = await cast.deliveries(ref)
    assert [row["subject"] for row in rows] == ["old"] * 100 + ["new"] * 200
    assert {row["id"] for row in rows} == {f"p{n}" for n in range(300)}
    assert {row["status"] for row in rows} == {"delivered"}
    assert set(await cast.audience(await cast.send())) == {f"p{n}" for n in range(299)} | {"late"}


async def test_nobody_is_named_at_all(cast: Broadcasting) -> None:
    named = broadcast()
    del named["recipients"]
    await cast.define(named)
    ref = await cast.send()
    assert await cast.errors(ref) == ["the broadcast names no recipients, and neither did the call"]
