"""`GET /v1/campaigns/{campaign}/explain` as callers ask it, also oddly (CMP-34)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.looking import OTHER, WELCOME, Scene

PATH = "/v1/campaigns/welcome/explain"


@pytest.fixture
async def here(workspace) -> Scene:
    made = Scene(workspace.db, workspace.id)
    await made.define(WELCOME, OTHER)
    await made.person("7", "ann@example.com")
    return made


async def asked(workspace, path: str, status: int, **params: Any) -> Any:
    answer = await workspace.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_person_is_named_by_any_of_their_names(workspace, here):
    for params in ({"customer": "7"}, {"customer": "ann@example.com", "id_type": "email"}):
        answer = await asked(workspace, PATH, 200, **params)
        assert (answer["entered"], answer["journey_id"], answer["journeys"]) == (False, None, [])
        assert answer["checks"][-1]["passed"] is False


@pytest.mark.parametrize(
    "customer", ["nobody", " ", "7 ", "%", "' OR 1=1", "7/../8", "\U0001f600", "x" * 5_000, "-1", "0"]
)
async def test_somebody_who_is_not_there(workspace, here, customer: str):
    assert (await asked(workspace, PATH, 404, customer=customer))["errors"]


@pytest.mark.parametrize("id_type", ["cio_id", "email"])
@pytest.mark.parametrize("customer", ["", "7", "zz", "cio_", "f" * 200, "99999999999999999999"])
async def test_names_that_are_none(workspace, here, id_type: str, customer: str):
    await asked(workspace, PATH, 404, customer=customer, id_type=id_type)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"customer": "7", "id_type": "phone"},
        {"id_type": "email"},
        {"customer": "\0"},
        {"customer": "7", "occurrence": "\0"},
    ],
)
async def test_what_cannot_be_asked(workspace, here, params: dict[str, str]):
    answer = await asked(workspace, PATH, 400, **params)
    assert answer["errors"][0]["code"] == "invalid_parameter"


@pytest.mark.parametrize("occurrence", ["", "0", "-1", "match", "2026-01-01", "9" * 40, "x" * 5_000, "e\u0301"])
async def test_an_occurrence_that_is_not_there(workspace, here, occurrence: str):
    answer = await asked(workspace, PATH, 404, customer="7", occurrence=occurrence)
    assert answer["errors"][0]["code"] == "not_found"


@pytest.mark.parametrize("campaign", ["none", "0", "-1", "99999999999999999999", "%F0%9F%98%80", "x" * 300])
async def test_a_campaign_that_is_not_there(workspace, here, campaign: str):
    await asked(workspace, f"/v1/campaigns/{campaign}/explain", 404, customer="7")
