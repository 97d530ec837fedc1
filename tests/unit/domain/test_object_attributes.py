"""Writing attributes of objects and of relationships."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.object_attributes import MOST_ATTRIBUTES, MOST_BYTES, write

VALUES = st.sampled_from([None, "", "a", "b", 1, 1.0, True, [1], {"x": None}])
WRITES = st.lists(st.tuples(st.dictionaries(st.sampled_from("abc"), VALUES), st.integers(1, 4)), max_size=6)


def test_blank_removes_and_the_same_touches_nothing() -> None:
    done = write({"name": "Acme", "seats": 3}, {}, {"name": "", "seats": 3.0, "gone": None, "plan": "pro"}, 7)
    assert done.attributes == {"seats": 3, "plan": "pro"}
    assert done.values == {"name": "", "plan": "pro"}
    assert done.before == {"name": "Acme"}
    assert done.times == {"name": 7, "plan": 7}


def test_an_earlier_write_comes_too_late() -> None:
    later = write({}, {}, {"plan": "pro", "gone": None}, 10)
    assert write(later.attributes, later.times, {"plan": "free"}, 9).skipped == ["plan"]
    removed = write(later.attributes, later.times, {"plan": None}, 12)
    assert write(removed.attributes, removed.times, {"plan": "free"}, 11).attributes == {}


def test_everything_together_has_a_size_and_a_count() -> None:
    half = "x" * (MOST_BYTES // 2)
    done = write({}, {}, {"a": half, "b": half, "c": "small"}, 1)
    assert set(done.attributes) == {"a", "c"}
    assert "100000 bytes" in (done.note or "")
    full = write({}, {}, {f"n{i}": i for i in range(MOST_ATTRIBUTES + 1)}, 1)
    assert len(full.attributes) == MOST_ATTRIBUTES
    assert set(full.failed) == {f"n{MOST_ATTRIBUTES}"}
    assert write(full.attributes, full.times, {"n0": "changed"}, 2).values == {"n0": "changed"}


@given(WRITES)
def test_the_later_of_two_changes_wins_whichever_comes_first(writes: list[tuple[dict[str, Any], int]]) -> None:
    attributes: dict[str, Any] = {}
    times: dict[str, int] = {}
    changed: dict[str, int] = {}
    for values, time in writes:
        done = write(attributes, times, values, time)
        for name in values:
            assert (name in done.skipped) == (time < changed.get(name, 0))
            if name not in done.skipped:
                assert done.attributes.get(name) in ([values[name]] if values[name] not in (None, "") else [None])
        changed |= dict.fromkeys(done.values, time)
        attributes, times = done.attributes, done.times
    assert times == changed
