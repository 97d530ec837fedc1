"""Log lines and figures."""

from __future__ import annotations

import json
import logging
import sys

from observability import JsonFormatter, bound


def line(**extra: object) -> dict[str, object]:
    record = logging.makeLogRecord(
        {"name": "sojourn.x", "levelname": "INFO", "msg": "It is %s.", "args": ("so",), **extra}
    )
    return json.loads(JsonFormatter().format(record))


def test_a_line_is_json_with_the_ids_that_are_bound_and_its_own():
    with bound(journey="J1", workspace=3, nothing=None), bound(activity="advance"):
        told = line(created=0.0, code="late")
    assert told == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "sojourn.x",
        "message": "It is so.",
        "journey": "J1",
        "workspace": 3,
        "activity": "advance",
        "code": "late",
    }
    assert "journey" not in line()


def test_an_exception_is_on_the_line():
    try:
        raise KeyError("gone")
    except KeyError:
        told = line(exc_info=sys.exc_info())
    assert "KeyError: 'gone'" in str(told["exception"])
