"""One email for one person: order of parts, layout, senders, overrides, headers (MSG-01, MSG-16 to MSG-23, CMP-31)."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.addresses import Address
from domain.content import EmailMessage
from rendering.context import CampaignNames, MessageNames, message_context
from rendering.email import Layout, SenderIdentity, Surroundings, render_email
from rendering.errors import RenderError
from rendering.rendered_email import RenderedEmail, restored

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://x.io/unsubscribe/d1"
SENDER = SenderIdentity("team@example.com", "The {{ customer.plan }} team")


def rendered(event: dict[str, Any] | None = None, around: Surroundings | None = None, **fields: Any) -> RenderedEmail:
    context = message_context(
        customer={"id": "1", "email": "ann@example.com", "first_name": "{{customer.id}}", "plan": "Pro"},
        event=None if event is None else {"name": "e", "timestamp": 1, "data": event},
        journey={},
        journey_id="01J",
        campaign=CampaignNames(4, "welcome", "Welcome [1]", "event"),
        message=MessageNames(9, "Hello", "email_action"),
        delivery_id="d1",
        unsubscribe_url=URL,
    )
    message = EmailMessage.model_validate({"subject": "Hi", "body": "<p>Hi</p>", **fields})
    return render_email(message, around or Surroundings(SENDER), context, NOW)


def fault(**fields: Any) -> str:
    with pytest.raises(RenderError) as caught:
        rendered(**fields)
    return str(caught.value)


def test_the_usual() -> None:
    email = rendered(subject="Hi\n {{ customer.plan }}\n", body="<p>{{ customer.first_name }}</p>")
    assert email == RenderedEmail(
        sender=Address("team@example.com", "The Pro team"),
        recipients=(Address("ann@example.com"),),
        subject="Hi  Pro",
        html="<p>{{customer.id}}</p>",
        text="{{customer.id}}",
    )
    assert restored(email.stored()) == email


def test_everything_is_stored_and_comes_back() -> None:
    email = rendered(
        **{"from": '"Rep, {{ customer.plan }}" <rep@example.com>'},
        to="Ann <{{ customer.email }}>",
        reply_to="help@example.com",
        bcc="crm@example.com, Log <log@example.com>",
        fake_bcc=False,
        preheader="Look & see <b>",
        title="T",
        headers=[{"name": "X-A", "value": "{{ campaign.name }}"}, {"name": "X-B", "value": ""}],
        body="<html><head></head><body class='x'><p>Hi</p>{% unsubscribe %}</body></html>",
        body_plain="Hi {% unsubscribe_url %}",
    )
    assert restored(email.stored()) == email
    assert email.sender == Address("rep@example.com", "Rep, Pro")
    assert email.headers == (("X-A", "Welcome [1]"), ("X-B", ""))
    assert email.bcc == (Address("crm@example.com"), Address("log@example.com", "Log"))
    assert email.text == f"Hi {URL}"
    assert email.unsubscribe_url == URL
    assert email.html == (
        "<html><head><title>T</title></head><body class='x'>"
        '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">Look & see &lt;b&gt;</div>'
        f'<p>Hi</p><a href="{URL}" class="untracked">Unsubscribe</a></body></html>'
    )


def test_the_layout_takes_the_body_as_data() -> None:
    layout = Layout(3, "Plain", '<h1>{{ layout.name }}</h1>{{ content }}<a href="{% unsubscribe_url %}">u</a>')
    email = rendered(around=Surroundings(SENDER, layout), body="<p>{{ customer.first_name }}</p>")
    assert email.html == f'<h1>Plain</h1><p>{{{{customer.id}}}}</p><a href="{URL}">u</a>'
    assert email.text == f"Plain\n\n{{{{customer.id}}}}\n\nu ({URL})"
    assert email.unsubscribe_url == URL


def test_a_message_without_the_link_has_none() -> None:
    assert rendered(body="{% if false %}{% unsubscribe %}{% endif %}").unsubscribe_url is None


def test_the_triggering_event_may_redirect_the_message() -> None:
    event = {"recipient": "wile@example.com", "from_address": "Acme <acme@example.com>", "reply_to": "r@example.com"}
    email = rendered(event)
    assert email.recipient == Address("wile@example.com")
    assert email.sender == Address("acme@example.com", "Acme")
    assert email.reply_to == Address("r@example.com")


@pytest.mark.parametrize("event", [{"recipient": "Bob"}, {"recipient": 7}, {"recipient": ""}])
def test_what_is_no_address_redirects_nothing(event: dict) -> None:
    assert rendered(event).recipient == Address("ann@example.com")


def test_parameters_of_links() -> None:
    around = Surroundings(SENDER, None, {"utm_campaign": "{{ campaign.name }}"})
    body = '<a href="https://a.io">a</a>{% unsubscribe %}'
    email = rendered(around=around, body=body, url_parameters={"q": "{{ customer.plan }} x"})
    assert '<a href="https://a.io/?utm_campaign=Welcome+%5B1%5D&amp;q=Pro%20x">' in email.html
    assert f'href="{URL}"' in email.html
    assert email.text == f"a (https://a.io/?utm_campaign=Welcome+%5B1%5D&q=Pro%20x)Unsubscribe ({URL})"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"subject": "{{ customer.nick }}"}, "Variable 'customer.nick' is missing (in subject)"),
        ({"body": "{{ trigger.x }}"}, "Variable 'trigger.x' is missing (in body)"),
        ({"to": "{{ customer.nick }}"}, "Variable 'customer.nick' is missing (in to)"),
        ({"to": "nobody"}, "'nobody' is not an email address (in to)"),
        ({"to": " "}, "There is no address (in to)"),
        ({"bcc": "a@b.co, x"}, "at most fifteen"),
        ({"headers": [{"name": "X-A", "value": "a\n{{ customer.id }}"}]}, "line end (in header X-A)"),
        ({"url_parameters": {"q": "{{ customer.nick | default: '' }}"}}, "empty (in URL parameter q)"),
        ({"around": Surroundings()}, "There is no sender"),
        ({"around": Surroundings(SenderIdentity("{{ customer.manager }}", None))}, "customer.manager"),
        ({"around": Surroundings(SENDER, Layout(1, "L", "{{ content }}{{ x }}"))}, "'x' is missing (in layout)"),
    ],
)
def test_faults_name_the_part(fields: dict, words: str) -> None:
    assert words in fault(**fields)


def test_a_document_without_a_message_is_refused() -> None:
    with pytest.raises(ValueError, match="no email"):
        restored({"channel": "email", "fields": {}})


def test_a_render_leaves_nothing_to_the_garbage_collector() -> None:
    rendered()
    gc.collect()
    gc.disable()
    try:
        rendered(subject="{{ customer.plan }}", body="{{ message.subject }}{% for n in (1..3) %}{{ n }}{% endfor %}")
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [type(one) for one in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not [kind for kind in left if kind.__module__.startswith("rendering.")]
