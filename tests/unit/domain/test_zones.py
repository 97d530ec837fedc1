from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from domain.zones import PersonZone, person_zone, zone_named

ROME = ZoneInfo("Europe/Rome")
FALLBACK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "name",
    ["Europe/Rome", "US/Pacific", "Japan", "EST5EDT", "Etc/GMT+2", "UTC", "W-SU", "America/Argentina/Ushuaia", " GB "],
)
def test_region_names_and_aliases_are_zones(name):
    assert zone_named(name) is not None


@pytest.mark.parametrize(
    "value",
    [
        "Mars/Base",
        "Asia/Riyadh87",
        "(GMT-08:00) Pacific Time (US & Canada)",
        "../../etc/passwd",
        "/etc/localtime",
        "localtime",
        "posixrules",
        "right/Europe/Rome",
        "America",
        "",
        "x" * 5000,
        "Europe/Rome\x00",
        "é",
        3,
        None,
        ["UTC"],
        True,
    ],
)
def test_everything_else_names_no_zone(value):
    assert zone_named(value) is None


def test_ppl_case_37_invalid_zone_is_passed_over():
    attributes = {"timezone": "Mars/Base", "cio_timezone": "Europe/Rome"}
    assert person_zone(attributes, FALLBACK) == PersonZone(ROME, "cio_timezone", ("timezone",))
    assert person_zone({}, FALLBACK) == PersonZone(FALLBACK, "fallback", ())
    assert person_zone({"timezone": "nowhere", "cio_timezone": 7}, FALLBACK).ignored == ("timezone", "cio_timezone")


def test_timezone_comes_before_cio_timezone():
    attributes = {"timezone": "Asia/Tokyo", "cio_timezone": "Europe/Rome"}
    assert person_zone(attributes, FALLBACK) == PersonZone(ZoneInfo("Asia/Tokyo"), "timezone", ())


def test_empty_and_null_zones_are_missing_not_invalid():
    assert person_zone({"timezone": "", "cio_timezone": None}, FALLBACK) == PersonZone(FALLBACK, "fallback", ())


def test_etc_gmt_signs_are_reversed():
    zone = zone_named("Etc/GMT+2")
    assert zone is not None
    assert zone.utcoffset(None) is not None
    assert zone.utcoffset(None).total_seconds() == -7200
