"""Instants of Pipelines messages, and dates in their data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pipelines.iso import converted, lenient_seconds, seconds_of
from domain.pipelines.times import corrected, instant_of
from tests.unit.domain.pipelines_making import UNIX, codes, fields, one

ISO = "2026-01-01T09:59:00Z"


def clock(text: str) -> datetime:
    return datetime.fromisoformat(f"2020-05-05T{text}+00:00")


def test_api_case_25_the_clock_of_a_sender_is_corrected() -> None:
    happened = corrected(clock("19:11:01.152"), clock("19:11:01.169"), clock("19:11:01.266"))
    assert happened == clock("19:11:01.249")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2023-04-26T13:42:19.722Z", 1682516539.722),
        ("2023-04-26T13:42:19.722123456Z", 1682516539.722123),
        ("2023-04-26T15:42:19+02:00", 1682516539),
        ("2023-04-26T13:42:19", 1682516539),
        ("2023-04-26", 1682467200),
        (1682516539, 1682516539),
        (1682516539.5, 1682516539.5),
        ("1682516539", 1682516539),
        (1682516539722, 1682516539.722),
        ("1682516539722", 1682516539.722),
        (0, 0),
    ],
)
def test_instants(value: Any, seconds: float) -> None:
    instant = instant_of(value)
    assert instant is not None
    assert instant.timestamp() == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2023-04-26T13:42:19Z,",
        "2023-13-01",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
        "1" * 50,
        10**20,
        -5,
        True,
        [],
        {},
        "٢٠٢٣",
    ],
)
def test_what_is_no_instant(value: Any) -> None:
    assert instant_of(value) is None


def event(**more: Any) -> dict[str, Any]:
    return {"userId": "7", "event": "e", **more}


@pytest.mark.parametrize(
    ("times", "timestamp"),
    [
        ({}, None),
        ({"timestamp": None}, None),
        ({"timestamp": ""}, None),
        ({"timestamp": "2025-12-31T10:00:00.9Z"}, UNIX - 86400),
        ({"timestamp": UNIX - 5}, UNIX - 5),
        ({"sentAt": "2020-01-01T00:00:00Z"}, None),
        ({"timestamp": "2020-01-01T00:00:00Z", "sentAt": "2020-01-01T00:01:40Z"}, UNIX - 100),
        ({"originalTimestamp": "2020-01-01T00:00:00Z", "timestamp": 5, "sentAt": 1577836810}, UNIX - 10),
        ({"timestamp": "2020-01-01T00:00:00.152Z", "sentAt": "2020-01-01T00:00:00.169Z"}, UNIX - 1),
        ({"timestamp": "2020-01-01T00:00:00.152Z", "sentAt": "2020-01-01T00:00:02.169Z"}, UNIX - 3),
        ({"timestamp": "2020-01-01T00:05:00Z", "sentAt": "2020-01-01T00:00:00Z"}, UNIX + 300),
    ],
)
def test_when_a_message_happened(times: dict[str, Any], timestamp: int | None) -> None:
    assert one("track", event(**times)).timestamp == timestamp


@pytest.mark.parametrize(("delay", "before"), [(17, 0), (999, 0), (1000, 1), (1017, 2)])
def test_where_the_clock_stands_still(delay: int, before: int) -> None:
    said = event(timestamp=1577836800000, sentAt=1577836800000 + delay)
    assert one("track", said, sandbox=True).timestamp == UNIX - before


@pytest.mark.parametrize(
    ("times", "field", "timestamp"),
    [
        ({"timestamp": "noon"}, "timestamp", None),
        ({"originalTimestamp": [], "timestamp": ISO}, "originalTimestamp", None),
        ({"timestamp": ISO, "sentAt": "noon"}, "sentAt", UNIX - 60),
        ({"timestamp": 0, "sentAt": "9999-12-31T00:00:00Z"}, "timestamp", None),
    ],
)
def test_times_that_cannot_be_read(times: dict[str, Any], field: str, timestamp: int | None) -> None:
    assert one("track", event(**times)).timestamp == timestamp
    assert codes("track", event(**times)) == ["timestamp"]
    assert fields("track", event(**times), strict=True) == [field]


TABLE = [
    ("25 Mar 2015", None, 1427241600),
    ("Mar 25 2015", None, 1427241600),
    ("01/01/2019", None, 1546300800),
    ("2019-02-01", 1548979200, 1548979200),
    ("2007-01-02T18:04:07", 1167761047, 1167761047),
    ("2006-01-02T18:04:07Z", 1136225047, 1136225047),
    ("2006-01-02T18:04:07+01:00", 1136221447, 1136221447),
    ("2006-01-02T15:04:05.007", 1136214245, 1136214245),
    ("2006-01-02T15:04:05.007Z", 1136214245, 1136214245),
    ("2006-01-02T15:04:05.007+01:00", 1136210645, 1136210645),
    ("2025-08-13T15:45:17.451Z", 1755099917, 1755099917),
    ("2025-08-13T02:08:40.1418726Z", None, None),
    ("2023-05-18T22:58:45+00:00", 1684450725, 1684450725),
    ("1684475925", None, None),
    ("20190201", None, None),
    ("+15551234567", None, None),
    ("2019-02-30", None, None),
    ("2019-02-01T25:00:00Z", None, None),
    ("2019-02-01 10:00:00", None, 1549015200),
    ("2006-01-02T18:04:07+0100", 1136221447, 1136221447),
    ("0000-01-01", None, None),
    ("1960-01-01", -315619200, -315619200),
    ("March 25, 2015 3:30 PM", None, 1427297400),
    ("Wed, 25 Mar 2015 01:00:00 GMT", None, 1427245200),
    ("Wed Mar 25 2015 01:00:00 GMT+0100 (CET)", None, 1427241600),
    ("2015/3/25", None, 1427241600),
    ("25 Mars 2015", None, None),
    ("13/13/2015", None, None),
    ("May the fourth", None, None),
    ("", None, None),
]


@pytest.mark.parametrize(("text", "plain", "created_at"), TABLE)
def test_api_case_29_dates_become_unix_seconds(text: str, plain: int | None, created_at: int | None) -> None:
    assert converted({"d": text}) == {"d": text if plain is None else plain}
    record = converted({"created_at": text}, created_at=True)
    assert record == {"created_at": text if created_at is None else created_at}


def test_objects_are_entered_and_arrays_are_not() -> None:
    day = "2019-02-01"
    record = {"a": {"b": {"c": day, "n": 5}}, "list": [day, {"d": day}], "none": None, "created_at": "01/01/2019"}
    changed = {**record, "a": {"b": {"c": 1548979200, "n": 5}}}
    assert converted(record) == changed
    assert converted({"inner": {"created_at": "01/01/2019"}}, created_at=True) == {
        "inner": {"created_at": "01/01/2019"}
    }


@given(st.text())
def test_any_text_stays_or_becomes_seconds(text: str) -> None:
    assert seconds_of(text) is None or isinstance(converted({"t": text})["t"], int)
    assert lenient_seconds(text) == text or isinstance(lenient_seconds(text), int)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9998, 1, 1)))
def test_written_dates_are_read_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=0, tzinfo=UTC)
    assert seconds_of(whole.isoformat()) == whole.timestamp()
    assert lenient_seconds(whole.strftime("%a, %d %b %Y %H:%M:%S GMT")) == whole.timestamp()
    assert instant_of(whole.isoformat()) == whole
