"""What a reply to a text message means (CMP-10)."""

from __future__ import annotations

import pytest

from domain.inbound_sms import inbound_data, keyword_of


@pytest.mark.parametrize(
    ("body", "keyword"),
    [("Unsubscribe", "STOP"), ("\U0001f44d", "YES"), ("4", "4"), ("yes please", "")],
)
def test_cmp_case_23_inbound_sms(body: str, keyword: str) -> None:
    assert keyword_of(body) == keyword


@pytest.mark.parametrize(
    ("words", "keyword"),
    [
        ("STOP cancel Unsubscribe OPTOUT end Quit revoke stopall", "STOP"),
        ("start UNSTOP", "START"),
        ("help Info", "HELP"),
        ("yes y OK \U0001f44d \U0001f44d\U0001f3fd \U0001f44d\ufe0f", "YES"),
        ("no N \U0001f44e \U0001f44e\U0001f3ff", "NO"),
    ],
)
def test_every_word_of_the_table_whatever_its_case(words: str, keyword: str) -> None:
    assert {keyword_of(word) for word in words.split()} == {keyword}


@pytest.mark.parametrize(
    ("body", "keyword"),
    [
        ("  stop \n", "STOP"),
        ("", ""),
        ("   ", ""),
        ("straße", "STRASSE"),
        ("stop.", "STOP."),
        ("stop now", ""),
        ("\ufe0f", "\ufe0f"),
    ],
)
def test_other_replies(body: str, keyword: str) -> None:
    assert keyword_of(body) == keyword


def test_the_data_of_the_event() -> None:
    data = inbound_data(body="start", sender="+15551234567", to="+15559876543", sid="SM1", messaging_service_sid="MG1")
    assert data == {
        "body": "start",
        "from": "+15551234567",
        "keyword": "START",
        "messaging_service_sid": "MG1",
        "sid": "SM1",
        "to": "+15559876543",
    }
