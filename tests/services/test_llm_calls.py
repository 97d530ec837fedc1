"""Calling providers of language models over HTTP: what is asked, what is read, what counts as no answer (ACT-34)."""

from __future__ import annotations

import asyncio
import socket
from datetime import date
from typing import Any

import pytest

from clock import system_now
from domain.captured import CapturedMail
from domain.errors import DomainError
from domain.llm_fields import LlmField
from services.calls.llm import Asked, LlmCall, Prepared
from services.llm import access_to
from services.llm.base import Ask
from store import llm_usage, locks
from tests.support.database import START, Room
from tests.support.llm_server import Server, answering, anthropic_answer, openai_answer

DAY = date(2026, 1, 1)
FIELDS = (
    LlmField.model_validate({"name": "score", "type": "integer", "description": "1-100"}),
    LlmField.model_validate({"name": "why", "type": "text", "required": False}),
)
SCORE = {"type": "integer", "description": "1-100"}
ANSWERS = {"anthropic": anthropic_answer, "openai": openai_answer}


def question(room: Room, provider: str, key: str = "k" * 24, *, sandbox: bool = False) -> Prepared:
    mail = CapturedMail(
        workspace_id=room.workspace_id,
        delivery_id=key,
        attempt=0,
        purpose="delivery",
        channel="llm",
        recipients=(),
        sender=None,
        at=START,
        rendered={},
    )
    return Prepared(Ask("small", "Rate: good", FIELDS), provider, key, mail, sandbox, DAY)


async def asked(room: Room, provider: str, server: Server, *, seconds: float = 10) -> Asked:
    """What came of asking a provider that answers at this server, and knows us by a key."""
    call = LlmCall(room.db, access_to(**{provider: (server.url, "secret")}), seconds=seconds)
    return await call.perform(question(room, provider), system_now)


async def used(room: Room) -> int:
    async with room.db.connection() as conn:
        return await llm_usage.used(conn, room.workspace_id, DAY)


async def test_anthropic_is_asked_to_use_a_tool(room: Room):
    with answering(lambda _n, _call: (200, anthropic_answer({"score": 80, "why": "It is"}))) as server:
        assert await asked(room, "anthropic", server) == Asked({"score": 80, "why": "It is"}, None, 1, 120)
    (call,) = server.calls
    assert call.path == "/v1/messages"
    assert (call.headers["x-api-key"], call.headers["anthropic-version"]) == ("secret", "2023-06-01")
    assert call.headers["content-type"] == "application/json"
    assert (call.body["model"], call.body["messages"]) == ("small", [{"role": "user", "content": "Rate: good"}])
    assert call.body["tool_choice"] == {"type": "tool", "name": "answer"}
    (tool,) = call.body["tools"]
    assert tool["input_schema"]["properties"] == {"score": SCORE, "why": {"type": "string"}}
    assert tool["input_schema"]["required"] == ["score"]
    assert await used(room) == 120


async def test_openai_is_asked_for_json_by_a_strict_schema(room: Room):
    with answering(lambda _n, _call: (200, openai_answer({"score": 80, "why": None}))) as server:
        assert await asked(room, "openai", server) == Asked({"score": 80}, None, 1, 60)
    (call,) = server.calls
    assert (call.path, call.headers["authorization"]) == ("/chat/completions", "Bearer secret")
    assert call.body["messages"][-1] == {"role": "user", "content": "Rate: good"}
    form = call.body["response_format"]
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    schema = form["json_schema"]["schema"]
    assert schema["required"] == ["score", "why"]
    assert schema["properties"] == {"score": SCORE, "why": {"type": ["string", "null"]}}


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
async def test_success_on_the_third_attempt(room: Room, provider: str):
    said = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    answers = [(529, said), (200, ANSWERS[provider]({"score": "high"})), (200, ANSWERS[provider]({"score": 7}))]
    with answering(lambda n, _call: answers[n - 1]) as server:
        found = await asked(room, provider, server)
    assert (found.values, found.attempts, len(server.calls)) == ({"score": 7}, 3, 3)


@pytest.mark.parametrize(
    ("provider", "status", "answer", "why"),
    [
        ("anthropic", 401, {"error": {"message": "invalid x-api-key"}}, "status 401: invalid x-api-key"),
        ("anthropic", 500, b"oops", "status 500"),
        ("anthropic", 200, b"no json", "the model gave no answer (None)"),
        (
            "anthropic",
            200,
            anthropic_answer({}, content=[{"type": "text", "text": "Hm"}]),
            "the model gave no answer (tool_use)",
        ),
        ("anthropic", 200, anthropic_answer({}), "the answer does not fit: 'score' is missing"),
        ("openai", 429, {"error": {"message": "Rate limit"}}, "status 429: Rate limit"),
        ("openai", 200, {"choices": []}, "the model gave no answer"),
        ("openai", 200, openai_answer({}, refusal="I won't"), "the model refused: I won't"),
        ("openai", 200, openai_answer({}, content="{ half"), "the answer is no JSON (stop)"),
        ("openai", 200, openai_answer({"score": 1, "x": 1}), "the answer does not fit: 'x' was not asked for"),
    ],
)
async def test_what_is_no_answer(room: Room, provider: str, status: int, answer: Any, why: str):
    with answering(lambda _n, _call: (status, answer)) as server:
        found = await asked(room, provider, server)
    assert (found.values, found.why, found.attempts, len(server.calls)) == (None, why, 3, 3)


async def test_tokens_of_answers_that_do_not_fit_are_used_as_well(room: Room):
    with answering(lambda _n, _call: (200, anthropic_answer({}))) as server:
        assert (await asked(room, "anthropic", server)).tokens == 360
    assert await used(room) == 360


async def test_a_provider_that_is_silent_or_away(room: Room):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        server = Server(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert (await asked(room, "openai", server, seconds=0.05)).why == "no answer within 0.05 s"
    assert (await asked(room, "openai", server)).why == "the provider could not be reached (ConnectError)"


async def test_a_provider_that_is_not_configured(room: Room):
    call = LlmCall(room.db)
    for provider in ("anthropic", "nobody", "fake"):
        found = await call.perform(question(room, provider), system_now)
        assert (found.values, found.why) == (None, f"the provider '{provider}' is not configured")


async def test_the_fake_always_says_the_same(room: Room):
    call = LlmCall(room.db, fake=True)
    first = await call.perform(question(room, "fake"), system_now)
    assert first == await call.perform(question(room, "fake"), system_now)
    assert first.values is not None
    assert 1 <= first.values["score"] <= 100


async def test_nobody_asks_beside_somebody_who_is_asking(room: Room):
    async with room.db.connection() as conn:
        assert await locks.hold(conn, f"llm/{'k' * 24}")
        with pytest.raises(DomainError, match="Somebody else"):
            await LlmCall(room.db, fake=True).perform(question(room, "fake"), system_now)
        await locks.release(conn, f"llm/{'k' * 24}")
    assert (await LlmCall(room.db, fake=True).perform(question(room, "fake"), system_now)).values is not None


async def test_more_questions_at_once_than_the_database_has_connections(room: Room):
    call = LlmCall(room.db, fake=True)
    keys = [f"{number:024d}" for number in range(2 * room.db.pool.get_max_size())]
    async with asyncio.timeout(60):
        found = await asyncio.gather(
            *(call.perform(question(room, "fake", key, sandbox=True), system_now) for key in keys)
        )
    assert all(one.values is not None for one in found)
    # Nobody holds anything any more.
    assert (await LlmCall(room.db, fake=True).perform(question(room, "fake", keys[0]), system_now)).values is not None


async def test_of_two_who_ask_the_same_in_one_process_one_asks(room: Room):
    call = LlmCall(room.db, fake=True)
    asking = question(room, "fake", sandbox=True)
    found = await asyncio.gather(*(call.perform(asking, system_now) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(one, Asked) for one in found) >= 1
    assert all(isinstance(one, Asked) or getattr(one, "code", None) == "call_in_hand" for one in found)


async def test_numbers_of_any_length_from_a_model_hold_nobody_up(room: Room):
    text = '{"score": 1' + "0" * 40 + "}"
    with answering(lambda _n, _call: (200, openai_answer({}, content=text))) as server:
        assert "too large" in str((await asked(room, "openai", server)).why)


async def test_a_sandbox_calls_outside_where_a_rule_says_so_only(room: Room):
    with answering(lambda _n, _call: (200, openai_answer({"score": 5, "why": None}))) as server:
        call = LlmCall(room.db, access_to(openai=(server.url, None)))
        found = await call.perform(question(room, "openai", sandbox=True), system_now)
        assert (found.values, server.calls) == (None, [])
        rule = {"channel": "webhook", "outcome": "pass_through", "url": server.url}
        await room.rows(
            "INSERT INTO mailbox_faults (workspace_id, position, rule) VALUES ($1, 0, $2) RETURNING 1 AS one", rule
        )
        found = await call.perform(question(room, "openai", "p" * 24, sandbox=True), system_now)
        assert (found.values, len(server.calls)) == ({"score": 5}, 1)
        assert "authorization" not in server.calls[0].headers
