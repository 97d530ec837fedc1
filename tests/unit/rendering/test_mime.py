"""The fast form of an email says what `email.message` reads out of it, whatever is put in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.addresses import Address
from rendering.mime import Mail, build

NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)
FROM = Address("team@example.com", "The Example team")
TO = Address("ann@example.com", "Ann")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def mail(**changes) -> Mail:
    fields = {
        "sender": FROM,
        "recipients": (TO,),
        "subject": "Hi",
        "date": NOW,
        "message_id": "<1@example.com>",
        "text": "Hi\n",
        "html": "<p>Hi</p>",
    }
    return Mail(**{**fields, **changes})


def read(raw: bytes) -> EmailMessage:
    """The message as Python reads it, after the rules that every mail on the wire must keep."""
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    head = raw.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"\r\n[ \t]*\r\n", head)
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects, message.defects
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    assert not part.defects
    return part.get_content().replace("\r\n", "\n")


def normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_plain_message_in_full() -> None:
    message = read(
        build(
            mail(
                reply_to=Address("help@example.com"),
                headers=(("X-Campaign", "welcome"),),
                links=(("List-Unsubscribe", "<https://x.io/unsubscribe/abc>"),),
            )
        )
    )
    assert dict(message.items()) | {"Content-Type": ""} == {
        "MIME-Version": "1.0",
        "From": "The Example team <team@example.com>",
        "To": "Ann <ann@example.com>",
        "Subject": "Hi",
        "Date": "Thu, 01 Jan 2026 10:00:00 +0000",
        "Message-ID": "<1@example.com>",
        "Reply-To": "help@example.com",
        "List-Unsubscribe": "<https://x.io/unsubscribe/abc>",
        "X-Campaign": "welcome",
        "Content-Type": "",
    }
    assert body(message, "plain") == "Hi\n"
    assert body(message, "html") == "<p>Hi</p>"


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Grüße aus Köln",
        "日本語" * 40,
        "word " * 60,
        "x" * 2000,
        "=?utf-8?q?not_encoded?=",
        "two  spaces " * 30,
        "🎉" * 50,
        "a\tb",
    ],
)
def test_subjects(subject: str) -> None:
    message = read(build(mail(subject=subject)))
    assert message["Subject"] == " ".join(subject.split("\t")).strip()


@pytest.mark.parametrize("breaker", ["\r\n", "\n", "\r", "\r\n\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\x00"])
def test_no_value_begins_a_header_of_its_own(breaker: str) -> None:
    evil = f"Hi{breaker}Bcc: victim@example.com{breaker}{breaker}<p>body</p>"
    message = read(
        build(
            mail(
                subject=evil,
                sender=Address("a@example.com", evil),
                recipients=(Address("b@example.com", evil),),
                headers=(("X-Thing", evil),),
            )
        )
    )
    assert "Bcc" not in message
    assert "Bcc: victim@example.com" in message["Subject"]
    assert body(message, "html") == "<p>Hi</p>"


@pytest.mark.parametrize(
    "name",
    ["Ann", "Smith, Ann", 'Ann "the" Smith', "back\\slash", "Zoë Müller", "日本" * 30, "(comment) <x>", "a@b", "x" * 300,
     "=?utf-8?q?x?=", "Dr. Ann: Smith; [x]"],
)  # fmt: skip
def test_names(name: str) -> None:
    raw = build(mail(sender=Address("a@example.com", name)))
    (address,) = read(raw)["From"].addresses
    assert address.addr_spec == "a@example.com"
    if len(name) < 30:
        assert address.display_name == name
    # Across several encoded words the new parser keeps the space that RFC 2047 says is none; the old one is right.
    shown, _ = parseaddr(str(make_header(decode_header(message_from_bytes(raw)["From"]))))
    assert len(name) < 30 or shown == name


@pytest.mark.parametrize(
    "text",
    [
        ".\n.hidden\n..two\n",
        "From here\n",
        "x" * 5000,
        "line \nwith trailing blanks\t\n",
        "--=_sojourn_0\n--=_sojourn_0--\n",
        "ünï" * 700,
        "日本語\n" * 400,
        "a\rb\r\nc\nd",
        "=3D = =\n",
        "",
        "\n\n\n",
    ],
)
def test_bodies(text: str) -> None:
    message = read(build(mail(text=text, html=text)))
    assert body(message, "plain").rstrip("\n") == normal(text).rstrip("\n")
    assert body(message, "html").rstrip("\n") == normal(text).rstrip("\n")


@given(subject=texts, name=names, text=texts, html=texts, header=texts)
def test_anything(subject: str, name: str, text: str, html: str, header: str) -> None:
    shown = name.replace('"', "'")
    message = read(
        build(mail(subject=subject, sender=Address("a@example.com", shown), text=text, html=html, headers=(("X-A", header),)))
    )  # fmt: skip
    assert set(message.keys()) == {
        "MIME-Version", "From", "To", "Subject", "Date", "Message-ID", "X-A", "Content-Type"
    }  # fmt: skip
    assert [address.addr_spec for address in message["From"].addresses] == ["a@example.com"]
    assert body(message, "plain").rstrip("\n") == normal(text).rstrip("\n")
    assert body(message, "html").rstrip("\n") == normal(html).rstrip("\n")
