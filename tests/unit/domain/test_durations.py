from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from domain.durations import Duration, format_duration, parse_duration


class Model(BaseModel):
    wait: Duration


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        (2700, 2700),
        ("PT45M", 2700),
        ("P7D", 604800),
        ("P2W", 1209600),
        ("P1W1DT1H1M1S", 604800 + 86400 + 3661),
        ("PT0S", 0),
        (0, 0),
        ("PT36H", 129600),
    ],
)
def test_durations_mean_seconds_and_go_back_as_they_came(raw: Any, seconds: int) -> None:
    model = Model.model_validate({"wait": raw})
    assert model.wait.seconds == seconds == parse_duration(raw).total_seconds()
    assert model.model_dump() == {"wait": raw}
    assert Model.model_validate(model.model_dump()) == model


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("P", "format"),
        ("PT", "format"),
        ("P1DT", "format"),
        ("P1M", "format"),
        ("P1Y", "format"),
        ("1D", "format"),
        ("P1.5D", "format"),
        ("p1d", "format"),
        ("-P1D", "format"),
        ("P1D ", "format"),
        ("", "format"),
        ("P٣D", "format"),
        ("P99999999999999999D", "format"),
        (-1, "range"),
        ("P999999999999W", "range"),
        (10**30, "range"),
        (True, "type"),
        (1.5, "type"),
        (None, "type"),
        ({"days": 1}, "type"),
    ],
)
def test_everything_else_is_one_error(raw: Any, code: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Model.model_validate({"wait": raw})
    assert [(e["type"], e["loc"]) for e in refused.value.errors()] == [(code, ("wait",))]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(days=7), "P7D"),
        (timedelta(hours=36), "P1DT12H"),
        (timedelta(seconds=61), "PT1M1S"),
    ],
)
def test_format_duration(span: Any, text: str) -> None:
    assert format_duration(span) == text
    assert parse_duration(text) == span


def test_the_schema_names_both_forms() -> None:
    schema = Model.model_json_schema()["properties"]["wait"]
    assert [form["type"] for form in schema["oneOf"]] == ["integer", "string"]
