"""The parts that only some emails have: copies, an interactive part, styles at the tags, the message itself as data (MSG-01)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.addresses import Address
from domain.content import EmailMessage, SentEmail
from rendering.context import CampaignNames, MessageNames, message_context, with_content
from rendering.email import Layout, SenderIdentity, Surroundings, render_email
from rendering.errors import RenderError
from rendering.headers import with_email_id
from rendering.rendered_email import RenderedEmail, restored

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VIEW = "https://x.io/view/d1"
SENDER = SenderIdentity("team@example.com", "The team")


def rendered(
    kind: type[EmailMessage] = EmailMessage, around: Surroundings | None = None, **fields: Any
) -> RenderedEmail:
    context = message_context(
        customer={"id": "1", "email": "ann@example.com", "name": "Smith, Ann", "plan": "Pro"},
        event=None,
        journey={},
        journey_id="01J",
        campaign=CampaignNames(4, "welcome", "Welcome", "event"),
        message=MessageNames(9, "Hello", "email_action"),
        delivery_id="d1",
        unsubscribe_url="https://x.io/unsubscribe/d1",
        view_url=VIEW,
    )
    said = {name.removesuffix("_"): value for name, value in fields.items()}
    message = kind.model_validate({"subject": "Hi", "body": "<p>Hi</p>", **said})
    email = render_email(message, around or Surroundings(SENDER), with_content(context, message), NOW)
    assert restored(email.stored()) == email
    return email


def fault(kind: type[EmailMessage] = SentEmail, around: Surroundings | None = None, **fields: Any) -> str:
    with pytest.raises(RenderError) as caught:
        rendered(kind, around, **fields)
    return str(caught.value)


def test_a_call_may_name_several_recipients_and_open_copies() -> None:
    email = rendered(
        SentEmail, to='"Lee, Bo" <bo@example.com>, {{ customer.email }}', cc="c@example.com, D <d@example.com>"
    )
    assert email.recipients == (Address("bo@example.com", "Lee, Bo"), Address("ann@example.com"))
    assert email.to == "bo@example.com, ann@example.com"
    assert email.cc == (Address("c@example.com"), Address("d@example.com", "D"))
    assert email.stored()["fields"]["to"] == '"Lee, Bo" <bo@example.com>, ann@example.com'


@pytest.mark.parametrize("kind", [EmailMessage, SentEmail])
def test_a_name_with_a_comma_is_one_recipient(kind: type[EmailMessage]) -> None:
    email = rendered(kind, to="{{ customer.name }} <{{ customer.email }}>")
    assert email.recipients == (Address("ann@example.com", "Smith, Ann"),)


def test_no_document_has_open_copies_or_several_recipients() -> None:
    with pytest.raises(ValueError, match="cc"):
        EmailMessage.model_validate({"subject": "s", "body": "b", "cc": "c@example.com"})
    assert "is not an email address (in to)" in fault(EmailMessage, to="a@example.com, b@example.com")


def addresses(count: int, name: str = "p") -> str:
    return ", ".join(f"{name}{number}@example.com" for number in range(count))


def test_chn_case_7_at_most_fifteen_addresses_when_rendered() -> None:
    assert len(rendered(SentEmail, to=addresses(14), bcc="b@example.com").recipients) == 14
    too_many = "An email goes to at most 15 addresses, copies included (in to)"
    assert fault(to=addresses(14), bcc=addresses(2, "b")) == too_many
    assert fault(to=addresses(13), cc="c@example.com", bcc=addresses(2, "b")) == too_many


def test_the_interactive_part_has_no_layout_and_no_inlined_styles() -> None:
    amp = "<!doctype html><html ⚡4email><style amp-custom>p{top:1px}</style><p>{{ customer.plan }}</p></html>"
    around = Surroundings(SENDER, Layout(1, "L", "<h1>L</h1>{{ content }}"), inline_css=True)
    email = rendered(around=around, body_amp=amp, preheader="Look")
    assert email.amp == amp.replace("{{ customer.plan }}", "Pro")
    assert email.html.endswith("<h1>L</h1><p>Hi</p>")
    assert email.stored()["amp"] == email.amp


def test_a_failure_names_the_interactive_part() -> None:
    assert fault(body_amp="{{ customer.nick }}") == "Variable 'customer.nick' is missing (in body_amp)"
    assert fault(cc="{{ customer.nick }}") == "Variable 'customer.nick' is missing (in cc)"


def test_styles_move_before_parameters_and_text_and_not_into_the_preview() -> None:
    around = Surroundings(SENDER, None, {"s": "w"}, inline_css=True)
    body = "<style>a,div{top:1px}</style><div><a href='https://a.io/'>a</a></div>"
    email = rendered(around=around, body=body, preheader="Look")
    assert email.html == (
        '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">Look</div>'
        '<div style="top: 1px;"><a style="top: 1px;" href=\'https://a.io/?s=w\'>a</a></div>'
    )
    assert email.text == "a (https://a.io/?s=w)"


def test_the_message_says_its_subject_and_preheader_to_its_other_parts() -> None:
    layout = Layout(1, "L", "<i>{{ message.subject }}</i>{{ content }}")
    email = rendered(
        around=Surroundings(SENDER, layout),
        subject="For {{ customer.plan }} {% random 1000000 %}",
        preheader="See {{ message.id }}",
        body="{{ message.subject }}|{{ message.preheader }}|{{ message.name }}",
    )
    assert email.html.endswith(f"<i>{email.subject}</i>{email.subject}|See 9|Hello")


def test_what_a_message_does_not_say_is_missing() -> None:
    assert fault(body="{{ message.preheader }}") == "Variable 'message.preheader' is missing (in body)"
    assert fault(subject="{{ message.subject }}") == "Variable 'message.subject' is missing (in subject)"
    assert fault(body="{{ message.subject }}", subject="{{ x }}") == "Variable 'x' is missing (in subject)"


def test_msg_case_31_a_sender_from_the_profile() -> None:
    sender = "{{ customer.account_manager }}"
    assert fault(from_=sender) == "Variable 'customer.account_manager' is missing (in from)"
    either = "{% if customer.account_manager %}{{ customer.account_manager }}{% else %}accounts@example.com{% endif %}"
    assert rendered(from_=either).sender == Address("accounts@example.com")
    assert rendered(around=Surroundings(SenderIdentity(either, None))).sender == Address("accounts@example.com")


def test_msg_case_35_parameters_of_the_message_and_of_the_workspace() -> None:
    around = Surroundings(SENDER, None, {"utm_source": "x"})
    body = '<a href="https://x.com/A">a</a><a href="https://x.com/C" data-ignore-params>c</a>'
    email = rendered(around=around, body=body, url_parameters={"q": "hello world"})
    assert '<a href="https://x.com/A?utm_source=x&amp;q=hello%20world">' in email.html
    assert "https://x.com/C?utm_source=x" in email.html
    assert "data-ignore-params" not in email.html
    assert email.html.count("q=hello") == 1


@pytest.mark.parametrize("value", ["[]", "no json", '{"unique_args": 7}', "7"])
def test_orders_to_a_relay_are_readable(value: str) -> None:
    header = {"name": "X-SMTPAPI", "value": value}
    assert "no JSON object" in fault(headers=[header])


def test_orders_to_a_relay_name_the_delivery() -> None:
    told = '{"category": ["a"], "unique_args": {"k": "ü", "email_id": "mine"}}'
    assert with_email_id(told, "d1") == '{"category": ["a"], "unique_args": {"k": "\\u00fc", "email_id": "d1"}}'
    assert with_email_id("", "d1") == '{"unique_args": {"email_id": "d1"}}'
