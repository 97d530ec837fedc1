"""What addresses and answers of endpoints come to before anybody is called (ACT-29, ACT-31)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from channels.base import HttpAnswer
from channels.http_answers import asked_until
from domain.web_addresses import fault_of_rendered, is_public

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:0:a00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::1", False),
        ("2002:a00:1::", False),
    ],
)
def test_what_is_public(address: str, *, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("url", ["https://[{{ 7/x", "ftp://a.example/{{ x }}", "//a/{{", "https://a.example:99999/{%"])
def test_braces_do_not_hide_what_is_wrong_with_an_address(url: str) -> None:
    fault = fault_of_rendered(url)
    assert fault is not None
    assert fault.code == "url_invalid"


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("30", AT + timedelta(seconds=30)),
        ("Thu, 01 Jan 2026 00:01:00 GMT", AT + timedelta(minutes=1)),
        ("Thu, 01 Jan 2026 00:01:00", AT + timedelta(minutes=1)),
        ("99999999999999999999", AT + timedelta(days=1)),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("Mon, 01 Jan 2020 00:00:00 +999999999999999999999999", None),
        ("1 jan 99999999999999999999999 00:00:00 GMT", None),
    ],
)
def test_when_to_come_back(said: str, until: datetime | None) -> None:
    assert asked_until(HttpAnswer(429, retry_after=said), AT) == until
