"""Emails of more than text and HTML: several recipients, an interactive part, files (MSG-24, MSG-25, CHN-05)."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.addresses import Address
from domain.received import read
from rendering.attached import content_type, described
from rendering.mime import Mail, build

FROM = Address("team@example.com", "The Example team")


def parsed(raw: bytes) -> EmailMessage:
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert not [defect for part in message.walk() for defect in part.defects]
    return message


def mail(**changes: Any) -> EmailMessage:
    fields: dict[str, Any] = {
        "sender": FROM,
        "recipients": (Address("ann@example.com", "Ann"),),
        "subject": "Hi",
        "date": datetime(2026, 1, 1, tzinfo=UTC),
        "message_id": "<1@example.com>",
        "text": "Hi ünï",
        "html": "<p>Hi</p>",
    }
    return parsed(build(Mail(**{**fields, **changes})))


def test_several_recipients_and_open_copies() -> None:
    people = [Address(f"someone.with.a.long.address.{n}@example.com", f"Person, {n}") for n in range(14)]
    message = mail(recipients=tuple(people), cc=(Address("boss@example.com", "Größe"),))
    assert [address.addr_spec for address in message["To"].addresses] == [person.mailbox for person in people]
    assert [address.display_name for address in message["To"].addresses] == [person.name for person in people]
    assert [str(address) for address in message["Cc"].addresses] == ["Größe <boss@example.com>"]


def test_the_interactive_part_stands_between_the_others() -> None:
    message = mail(amp="<!doctype html><html ⚡4email></html>")
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/x-amp-html", "text/html"]
    assert list(message.iter_parts())[1].get_content().strip() == "<!doctype html><html ⚡4email></html>"


def test_files_stand_behind_the_text() -> None:
    files = (("invite.ics", b"BEGIN:VCALENDAR\r\n" * 20), ("Rechnung März.pdf", bytes(range(256)) * 10), ("a.csv", b""))
    message = mail(attachments=files, amp="<html ⚡4email></html>")
    assert message.get_content_type() == "multipart/mixed"
    body, *attached = message.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "text/x-amp-html", "text/html"]
    assert [(part.get_filename(), part.get_payload(decode=True)) for part in attached] == list(files)
    assert [part.get_content_type() for part in attached] == ["text/calendar", "application/pdf", "text/csv"]
    assert {part.get_content_disposition() for part in attached} == {"attachment"}
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "Hi ünï"


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\\u2028\u2029"), min_size=1, max_size=120
)


@given(name=NAMES, content=st.binary(max_size=500))
def test_any_name_arrives(name: str, content: bytes) -> None:
    attached = list(mail(attachments=((f"a{name}z.bin", content),)).iter_attachments())
    assert [(part.get_filename(), part.get_payload(decode=True)) for part in attached] == [(f"a{name}z.bin", content)]


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1.pdf", 'a".pdf', "../../etc/passwd.pdf", "a\u2028b.pdf"])
def test_no_name_begins_a_header_or_leaves_its_folder(name: str) -> None:
    message = mail(attachments=((name, b"x"),))
    (part,) = message.iter_attachments()
    assert "X-Evil" not in part
    assert "/" not in (part.get_filename() or "")
    assert set(part.keys()) == {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.PDF", "application/pdf"),
        ("a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.png", "image/png"),
        ("mail.eml", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
        ("README", "application/octet-stream"),
        ("a.tar.gz", "application/gzip"),
    ],
)
def test_types(name: str, kind: str) -> None:
    assert content_type(name) == kind


def test_what_came_in_is_read_back() -> None:
    raw = build(
        Mail(
            sender=FROM,
            recipients=(Address("a@example.com"), Address("b@example.com")),
            subject="Hi",
            date=datetime(2026, 1, 1, tzinfo=UTC),
            message_id="<1@example.com>",
            text="Hi",
            html="<p>Hi</p>",
            amp="<html ⚡4email></html>",
            cc=(Address("c@example.com"),),
            attachments=(("a.pdf", b"1234"),),
        )
    )
    rendered = read(raw).rendered
    assert rendered["fields"]["to"] == "a@example.com, b@example.com"
    assert rendered["fields"]["cc"] == "c@example.com"
    assert rendered["html"].strip() == "<p>Hi</p>"
    assert rendered["amp"].strip() == "<html ⚡4email></html>"
    assert rendered["attachments"] == described([("a.pdf", b"1234")])
