"""Conditions as a whole: constant between flips, canonical, total."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.conditions import decide, evaluate, parse_condition
from domain.facts import (
    DeviceFact,
    Directory,
    EventFact,
    Facts,
    Happening,
    JourneyFacts,
    MessageFact,
    Position,
    RelatedFact,
)

START = datetime(2026, 6, 1, tzinfo=UTC)
UNIX = int(START.timestamp())
MICRO = timedelta(microseconds=1)

seconds = st.integers(-60, 60)
spans = st.integers(0, 40) | st.sampled_from(["PT5S", "PT1M", "PT0S"])
moments = st.tuples(seconds, st.sampled_from([0, 0, 1, 500_000, 999_999])).map(
    lambda m: START + timedelta(seconds=m[0], microseconds=m[1])
)
instants = (
    seconds.map(lambda s: UNIX + s)
    | spans.map(lambda s: {"ago": s})
    | spans.map(lambda s: {"from_now": s})
    | st.sampled_from([{"from": "customer.b"}, {"from": "event.at"}, {"from": "journey.none"}])
)
scalars = st.sampled_from(["x", "X", 1, "1.0", True, 2.5]) | seconds.map(lambda s: UNIX + s)


def comparison(fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    base = {"field": st.sampled_from(fields)}
    inverse = {"inverse": st.booleans()}
    return st.one_of(
        st.fixed_dictionaries({**base, "operator": st.sampled_from(["exists", "is_timestamp"])}, optional=inverse),
        st.fixed_dictionaries({**base, "value": scalars | st.just({"from": "customer.b"})}, optional=inverse),
        st.fixed_dictionaries(
            {**base, "operator": st.sampled_from(["gt", "lte"]), "value": st.integers(0, 3)}, optional=inverse
        ),
        st.fixed_dictionaries(
            {**base, "operator": st.just("in"), "value": st.lists(scalars, min_size=1, max_size=3)}, optional=inverse
        ),
        st.fixed_dictionaries(
            {**base, "operator": st.sampled_from(["before", "after"]), "value": instants}, optional=inverse
        ),
        st.fixed_dictionaries(
            {**base, "operator": st.just("between"), "value": st.lists(instants, min_size=2, max_size=2)},
            optional=inverse,
        ),
    )


def combined(leaf: Any) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaf,
        lambda node: st.one_of(
            st.lists(node, min_size=1, max_size=3).map(lambda nodes: {"and": nodes}),
            st.lists(node, min_size=1, max_size=3).map(lambda nodes: {"or": nodes}),
            node.map(lambda inner: {"not": inner}),
        ),
        max_leaves=5,
    )


wheres = combined(comparison(["at", "k", "list[]"]))
times = st.one_of(
    st.integers(1, 3).map(lambda n: {"at_least": n}),
    st.integers(0, 2).map(lambda n: {"at_most": n}),
    st.integers(0, 2).map(lambda n: {"exactly": n}),
)
performed = st.fixed_dictionaries(
    {"event": st.sampled_from(["e", "e|f", "f*"])},
    optional={
        "where": wheres,
        "times": times,
        "since": st.sampled_from(["ever", "trigger", "wait_start"]),
        "inverse": st.booleans(),
    },
).flatmap(
    lambda body: st.one_of(
        st.just(body),
        spans.map(lambda span: {**body, "within": span}),
        st.tuples(seconds, seconds).map(lambda b: {**body, "between": [UNIX + b[0], UNIX + b[1]]}),
    )
)
flags = st.booleans()
sources = st.sampled_from(
    [
        {"campaign": 3},
        {"campaign": "c", "block": "b"},
        {"campaign": "gone"},
        {"broadcast": 3, "block": 31},
        {"newsletter": 3},
        {"block": "b"},
    ]
)
asked = st.one_of(
    st.fixed_dictionaries(
        {"status": st.sampled_from(["recipient", "sent", "bounced"])},
    ),
    st.fixed_dictionaries({"status": st.just("opened")}, optional={"human_only": flags}),
    st.fixed_dictionaries(
        {"status": st.just("clicked")},
        optional={"human_only": flags, "link": st.sampled_from(["a", "a*c", "b|c"]), "response": st.just("Yes")},
    ),
)
messages = st.tuples(
    st.one_of(
        st.just({"channel": "email"}),
        sources.map(lambda of: {"of": of}),
        sources.map(lambda of: {"channel": "push", "of": of}),
    ),
    asked,
    st.fixed_dictionaries({}, optional={"mode": st.just("is"), "times": times, "inverse": flags}),
    st.one_of(
        st.just({}),
        spans.map(lambda span: {"within": span}),
        st.tuples(seconds, seconds).map(lambda b: {"between": [UNIX + b[0], UNIX + b[1]]}),
    ),
).map(lambda parts: {word: value for part in parts for word, value in part.items()})
devices = st.fixed_dictionaries(
    {}, optional={"where": combined(comparison(["last_used", "platform", "k"])), "inverse": flags}
)
related = st.fixed_dictionaries(
    {"to": st.sampled_from([1, "account", "gone"])},
    optional={"object": wheres, "relationship": wheres, "inverse": flags},
)
leaf = st.one_of(
    messages.map(lambda body: {"message": body}),
    devices.map(lambda body: {"device": body}),
    related.map(lambda body: {"related": body}),
    comparison(["a", "b", "l[]", "l"]).map(lambda c: {"attribute": c}),
    performed.map(lambda body: {"performed": body}),
    comparison(["at", "k"]).map(lambda c: {"event": c}),
    st.sampled_from([{"segment": 1}, {"segment": {"key": "s", "inverse": True}}]),
)
conditions = combined(leaf) | st.lists(combined(leaf), min_size=1, max_size=2)
data = st.fixed_dictionaries(
    {}, optional={"at": seconds.map(lambda s: UNIX + s), "k": scalars, "list": st.lists(scalars, max_size=2)}
)
events = st.lists(st.tuples(st.sampled_from(["e", "f", "E ", "g"]), moments, data), max_size=6).map(
    lambda raw: [EventFact(name, at, seq, body) for seq, (name, at, body) in enumerate(raw, start=1)]
)


happenings = st.tuples(
    st.sampled_from(["recipient", "sent", "opened", "clicked", "bounced"]),
    st.tuples(moments, st.integers(0, 8)).map(lambda p: Position(*p)),
    flags,
    st.sampled_from([None, "a/b/c", "B"]),
    st.sampled_from([None, "yes", "no"]),
).map(lambda h: Happening(*h))
has_messages = st.lists(
    st.tuples(
        st.sampled_from(["email", "push"]),
        st.sampled_from([3, 4, None]),
        st.sampled_from([31, 32]),
        st.lists(happenings, max_size=3),
    ).map(lambda m: MessageFact(*m)),
    max_size=3,
)
has_devices = st.lists(
    st.tuples(st.sampled_from(["x", "ios"]), seconds.map(lambda s: UNIX + s), st.sampled_from(["", "sent"]), data).map(
        lambda d: DeviceFact(*d)
    ),
    max_size=3,
)
has_related = st.lists(st.tuples(st.sampled_from([1, 2]), data, data).map(lambda r: RelatedFact(*r)), max_size=3)
DIRECTORY = Directory({("campaign", "c"): 3, ("object_type", "account"): 2}, {3: {"b": 31}})


@st.composite
def facts(draw: Any) -> Facts:
    trigger = draw(st.none() | st.tuples(moments, data).map(lambda t: EventFact("e", t[0], 2, t[1])))
    journey = JourneyFacts(
        journey_id="j",
        started=Position(draw(moments), 3),
        trigger_event=trigger,
        wait_started=draw(st.none() | moments.map(lambda at: Position(at, 4))),
        campaign_id=draw(st.sampled_from([3, 4])),
    )
    return Facts(
        attributes=draw(
            st.fixed_dictionaries(
                {}, optional={"a": seconds.map(lambda s: UNIX + s), "b": scalars, "l": st.lists(scalars, max_size=3)}
            )
        ),
        age_start=draw(moments),
        events=draw(events),
        segments=draw(st.sampled_from([frozenset(), frozenset({1}), frozenset({2})])),
        segment_ids={"s": 2},
        journey=draw(st.none() | st.just(journey)),
        devices=draw(has_devices),
        related=draw(has_related),
        messages=draw(has_messages),
        directory=DIRECTORY,
    )


@settings(max_examples=600, deadline=None)
@given(raw=conditions, person=facts(), now=moments, steps=st.lists(st.integers(0, 10**6), max_size=6))
def test_a_verdict_is_constant_until_its_announced_flip(raw: Any, person: Facts, now: Any, steps: Any) -> None:
    condition = parse_condition(raw)
    verdict = evaluate(condition, person, now)
    horizon = now + timedelta(seconds=300)
    end = horizon if verdict.flips_at is None else min(verdict.flips_at, horizon)
    assert end > now
    assert verdict.flips_at is None or verdict.flips_at.microsecond == 0
    samples = [now + (end - now) * (step / 10**6) for step in steps] + [end - MICRO]
    samples += [now.replace(microsecond=0) + timedelta(seconds=n) for n in range(1, 70)]
    for at in samples:
        if now <= at < end:
            assert evaluate(condition, person, at).matched is verdict.matched, at


class Broken(dict[str, Any]):
    """Attributes some of which cannot be read."""

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self.keys() else default

    def __getitem__(self, key: str) -> Any:
        if key == "a":
            raise ValueError(key)
        return super().__getitem__(key)


@settings(max_examples=600, deadline=None)
@given(raw=conditions, person=facts(), now=moments, broken=st.booleans())
def test_deciding_gives_what_evaluating_gives(raw: Any, person: Facts, now: Any, broken: bool) -> None:
    condition = parse_condition(raw)
    if broken:
        person = replace(person, attributes=Broken(person.attributes))
    verdict = evaluate(condition, person, now)
    assert decide(condition, person, now) == (verdict.matched, verdict.flips_at)


@settings(max_examples=200, deadline=None)
@given(raw=conditions, person=facts(), now=moments)
def test_following_the_flips_finds_every_change(raw: Any, person: Facts, now: Any) -> None:
    condition = parse_condition(raw)
    now = now.replace(microsecond=0)
    horizon, due, known = now + timedelta(seconds=200), now, None
    at = now
    while at < horizon:
        if due is not None and at >= due:
            verdict = evaluate(condition, person, at)
            known, due = verdict.matched, verdict.flips_at
        assert evaluate(condition, person, at).matched is known
        at += timedelta(seconds=1)


@settings(max_examples=300, deadline=None)
@given(raw=conditions)
def test_the_canonical_form_is_stable(raw: Any) -> None:
    condition = parse_condition(raw)
    assert parse_condition(condition.dump()) == condition
    assert parse_condition(condition.dump()).dump() == condition.dump()
    assert hash(parse_condition(raw)) == hash(condition)


@settings(max_examples=300, deadline=None)
@given(raw=conditions, person=facts(), now=moments)
def test_not_is_the_complement_and_explaining_changes_nothing(raw: Any, person: Facts, now: Any) -> None:
    condition = parse_condition(raw)
    verdict = evaluate(condition, person, now)
    explained = evaluate(condition, person, now, explain=True)
    assert (explained.matched, explained.flips_at) == (verdict.matched, verdict.flips_at)
    assert not any("could not be evaluated" in report.note for report in explained.leaves)
    negated = parse_condition({"not": condition.dump()})
    opposite = evaluate(negated, person, now)
    assert opposite.matched is not verdict.matched
    assert opposite.flips_at == verdict.flips_at


@settings(max_examples=200, deadline=None)
@given(raw=conditions, person=facts(), now=moments)
def test_only_clock_conditions_flip(raw: Any, person: Facts, now: Any) -> None:
    condition = parse_condition(raw)
    assert condition.keys.clock or evaluate(condition, person, now).flips_at is None
