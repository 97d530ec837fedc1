"""JavaScript values: the reference results, the limits, what scripts can read (ACT-22)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from rendering.context import NOBODY
from rendering.errors import RenderError
from rendering.javascript import UNDEFINED, Job, faults_of, run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT: dict[str, Any] = {
    "customer": {"full_name": "Cool Person", "created_at": 1646936855, "visits": 4},
    "event": {"items": [{"id": 7}, {"id": 9}]},
    "trigger": {"identifiers": {"id": "u1"}},
    "journey": {"score": 3},
    "snippets": {"hello": "Hello {{ customer.first_name }}!", "bye": "Bye"},
}


async def returned(body: str, context: dict[str, Any] | None = None, **own: Any) -> Any:
    (value,) = await run([Job(body, 0)], CONTEXT if context is None else context, [own], NOW)
    return value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("return customer.full_name.split(' ')[0]", "Cool"),
        ('return new Date(customer.created_at*1000).toLocaleDateString("en-US")', "3/10/2022"),
        (
            "return new Date(customer.created_at*1000).toLocaleDateString('en-US', {year:'numeric',month:'long',day:'numeric'})",
            "March 10, 2022",
        ),
        ('return new Date("1983-03-15T12:00:00Z").getTime()/1000', 416577600),
        ('return new Date("1983-03-15").getTime()/1000', 416534400),
        ("return customer.plan_name ?? 'free_trial'", "free_trial"),
        ("return event.items.map(i => i.id)", [7, 9]),
        ("return triggers.identifiers.id;", "u1"),
        ("return trigger.identifiers.id;", "u1"),
        ("return 30 / 100 * 100", 30),
        ("return {score: journey.score, bye: snippets.bye}", {"score": 3, "bye": "Bye"}),
        ("return match.email", "ann@example.com"),
        ("return customer.missing", UNDEFINED),
        ("const unused = 1;", UNDEFINED),
        ("return null", None),
        ("return ''", ""),
        ("return true", True),
        ("return typeof response", "undefined"),
    ],
)
async def test_reference_results(body: str, value: object) -> None:
    assert await returned(body, match={"email": "ann@example.com"}) == value


async def test_the_clock_is_the_workspaces() -> None:
    body = (
        "return [Date.now(), new Date().toISOString(), Date().slice(0, 15), new Date() instanceof Date,"
        " new Intl.DateTimeFormat('en-US').format(), Intl.DateTimeFormat().resolvedOptions().timeZone]"
    )
    expected = [1767225600000, "2026-01-01T00:00:00.000Z", "Thu Jan 01 2026", True, "1/1/2026", "UTC"]
    assert await returned(body) == expected


async def test_where_nobody_travels_there_is_no_customer() -> None:
    context = {"customer": NOBODY, "trigger": {"x": 1}}
    assert await returned("return customer?.plan ?? typeof customer", context) == "undefined"
    assert await returned("return event", context) is UNDEFINED


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("throw new Error('no plan')", "no plan"),
        ("return customer.address.city", "Cannot read properties of undefined"),
        ("return 'x'.repeat(100_000)", "larger than 100000 bytes"),
        ("while (true) {}", "longer than 1 s"),
        ("const a = []; while (true) a.push(new Array(1000).fill(1.5))", "64 MB"),
        ("const b = []; for (let i = 0; i < 20; i++) b.push(new Uint8Array(50e6).fill(1)); return 1", "allocation"),
        ("return (async () => 1)()", "promise"),
        ("return 0 / 0", "NaN"),
        ("return 10n", "BigInt"),
        ("return '\\u0000'", "U\\+0000"),
        ("return snippets.hello", "Liquid"),
        ("return '{{ customer.plan }}'", "Liquid"),
        ("return {a: ['{% if true %}x{% endif %}']}", "Liquid"),
        ("return fetch('https://example.com')", "fetch is not defined"),
        ("return require('fs')", "require is not defined"),
    ],
)
async def test_what_fails(body: str, why: str) -> None:
    with pytest.raises(RenderError, match=why):
        await returned(body)
    assert await returned("return 1") == 1


async def test_data_may_contain_braces() -> None:
    assert await returned("return customer.note", {"customer": {"note": "{{ hi }}"}}) == "{{ hi }}"


async def test_scripts_of_different_requests_share_nothing() -> None:
    assert await returned("globalThis.left = 1; Array.prototype.map = () => 'mine'; return 1") == 1
    assert await returned("return [typeof left, [1].map(x => x + 1)]") == ["undefined", [2]]


async def test_one_set_of_variables_for_each_job() -> None:
    jobs = [Job("return match.id + customer.visits", number) for number in range(3)]
    assert await run(jobs, CONTEXT, [{"match": {"id": n}} for n in range(3)], NOW) == [4, 5, 6]


async def test_all_scripts_of_a_block_have_so_much_time_together() -> None:
    body = "let n = 0; for (let i = 0; i < 2e7; i++) n += i % 7; return n"
    with pytest.raises(RenderError, match="longer than"):
        await run([Job(body, 0)] * 400, CONTEXT, [{}], NOW, seconds=0.3)
    assert await returned("return 1") == 1


async def test_a_slow_script_holds_up_no_other() -> None:
    slow = asyncio.create_task(returned("while (true) {}"))
    await asyncio.sleep(0)
    assert await returned("return customer.visits") == 4
    assert not slow.done()
    with pytest.raises(RenderError, match="longer than 1 s"):
        await slow


async def test_many_scripts_at_once_have_their_turns() -> None:
    found = await asyncio.gather(*(returned(f"return {number}") for number in range(50)))
    assert found == list(range(50))


async def test_a_result_full_of_braces_is_read_in_one_go() -> None:
    assert await returned("return '{{'.repeat(45_000)") == "{{" * 45_000


async def test_numbers_that_do_not_fit_are_rounded() -> None:
    assert await returned("return [2 ** 53, 1e20, 2 ** 64]") == [2**53, 1e20, 2.0**64]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("return 1;", None),
        ("return event.items.length;", None),
        ("return }{", "Unexpected token"),
        ("}); (() => {", "SyntaxError"),
        ("return await x", "await"),
        ("let a; let a;", "already been declared"),
        ("while (true) {}", None),
    ],
)
async def test_what_is_read_before_it_is_run(body: str, fault: str | None) -> None:
    found = (await faults_of([body]))[body]
    assert found is None if fault is None else fault in (found or "")
