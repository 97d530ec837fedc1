"""Time windows over all zones and clocks: never early, open when passed, stable, always coming to an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.blocks import AnyBlock
from domain.effects import Goto, Wait
from domain.facts import Facts, Position
from domain.timing import ALL_DAY, Hours, WeeklyWindow, first_instant, is_open, next_opening
from domain.zones import zone_named

ADAPTER = TypeAdapter(AnyBlock)
ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Rome",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Gaza",
    "America/Nuuk",
    "Antarctica/Troll",
    "Etc/GMT+12",
    "Pacific/Kiritimati",
    "Africa/Monrovia",
]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# Half an hour around the clock changes of these zones, where the trouble is, and anything else.
EDGES = [
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(2018, 11, 4, 3, tzinfo=UTC),
]
zones = st.sampled_from(ZONES)
instants = st.one_of(
    st.datetimes(datetime(1972, 2, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.builds(
        lambda edge, minutes: edge + timedelta(minutes=minutes), st.sampled_from(EDGES), st.integers(-3000, 3000)
    ),
)
minutes = st.integers(0, 1440)
ranges = st.one_of(st.just((ALL_DAY,)), st.lists(st.builds(Hours, minutes, minutes), min_size=1, max_size=3).map(tuple))
windows = st.builds(WeeklyWindow, st.frozensets(st.integers(0, 6), min_size=1), ranges)


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


hours = st.one_of(
    st.just("all_day"),
    st.lists(st.fixed_dictionaries({"from": minutes.map(clock), "to": minutes.map(clock)}), min_size=1, max_size=3),
)
documents = st.fixed_dictionaries(
    {
        "type": st.just("time_window"),
        "days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
        "hours": hours,
        "timezone": zones,
        "use_customer_timezone": st.booleans(),
        "next": st.just("b"),
    }
)


def person(zone):
    return Facts(attributes={} if zone is None else {"timezone": zone}, age_start=EDGES[0])


@given(window=windows, at=instants, name=zones)
def test_the_next_opening_is_later_and_open(window, at, name):
    zone = zone_named(name)
    opens = next_opening(window, at, zone)
    assert opens > at
    assert is_open(window, opens, zone)
    assert opens - at < timedelta(days=15)


@given(window=windows, at=instants, name=zones, share=st.floats(0, 1))
def test_nothing_opens_before_the_next_opening(window, at, name, share):
    zone = zone_named(name)
    opens = next_opening(window, at, zone)
    if not is_open(window, at, zone):
        between = at + (opens - at) * share
        assert between >= opens or not is_open(window, between, zone)


@given(day=st.datetimes(datetime(1972, 2, 1), datetime(2100, 1, 1)), later=st.integers(0, 200_000), name=zones)
def test_local_times_keep_their_order_as_instants(day, later, name):
    zone, local = zone_named(name), day.replace(microsecond=0)
    assert first_instant(local, zone) <= first_instant(local + timedelta(seconds=later), zone)


@given(instant=instants, name=zones)
def test_an_instant_is_at_or_after_the_first_with_its_clock(instant, name):
    zone = zone_named(name)
    local = instant.astimezone(zone).replace(tzinfo=None)
    first = first_instant(local, zone)
    assert first <= instant
    assert first.astimezone(zone).replace(tzinfo=None) == local


@given(document=documents, arrived=instants, zone=st.none() | zones)
def test_a_window_plan_is_never_early_and_stable(document, arrived, zone):
    block, at = ADAPTER.validate_python(document), Position(arrived, 1)
    first = block.plan("w", at, arrived, None, person(zone))
    assert block.plan("w", at, arrived, None, person(zone)) == first
    if isinstance(first.effect, Wait):
        assert first.effect.due_at > arrived
        middle = arrived + (first.effect.due_at - arrived) / 2
        for now in (arrived, middle, first.effect.due_at - timedelta(microseconds=1)):
            assert block.plan("w", at, now, first.wait, person("Asia/Kathmandu")) == first
        assert isinstance(block.plan("w", at, first.effect.due_at, first.wait, person(zone)).effect, Goto)


@given(document=documents, arrived=instants, moves=st.lists(st.none() | zones, max_size=6))
def test_a_window_lets_go_in_the_end_however_the_person_travels(document, arrived, moves):
    block, at, now, wait = ADAPTER.validate_python(document), Position(arrived, 1), arrived, None
    for zone in [*moves, moves[-1] if moves else None, moves[-1] if moves else None]:
        planned = block.plan("w", at, now, wait, person(zone))
        if isinstance(planned.effect, Goto):
            chosen = block.zone_for(person(zone))
            assert is_open(block.window, now, chosen.zone)
            return
        assert planned.effect.due_at > now
        now, wait = planned.effect.due_at, planned.wait
    last = moves[-1] if moves else None
    assert isinstance(block.plan("w", at, now, wait, person(last)).effect, Goto)


@given(seconds=st.integers(0, 10**9), arrived=instants, late=st.integers(0, 10**9))
def test_a_delay_ends_exactly_its_duration_after_arrival(seconds, arrived, late):
    block, at = ADAPTER.validate_python({"type": "time_delay", "duration": seconds, "next": "b"}), Position(arrived, 1)
    effect = block.plan("d", at, arrived + timedelta(seconds=late), None, person(None)).effect
    assert isinstance(effect, Goto) is (late >= seconds)
    if isinstance(effect, Wait):
        assert effect.due_at == arrived + timedelta(seconds=seconds)
