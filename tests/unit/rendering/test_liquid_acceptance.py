"""The acceptance cases of Liquid by their numbers (MSG-02 to MSG-16, MSG-35)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.content import EmailMessage
from rendering.context import NOBODY, CampaignNames, MessageNames, message_context, with_content
from rendering.email import Layout, SenderIdentity, Surroundings, render_email
from rendering.errors import RenderError
from rendering.liquid import check_syntax, render
from rendering.snippets import Snippets
from rendering.tags import PREFERENCES_URL, VIEW_URL

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CUSTOMER = {"id": "1", "email": "a@x.io", "first_name": "alex"}


def text(source: str, **context: Any) -> str:
    return render(source, {"customer": CUSTOMER, **context}, now=NOW)


def test_msg_case_01_a_fallback_is_printed_and_a_missing_attribute_fails() -> None:
    assert text('Hi {{customer.nick | default: "Buddy"}}!') == "Hi Buddy!"
    with pytest.raises(RenderError, match=r"customer\.nick"):
        text("Hi {{customer.nick}}!")


def test_msg_case_03_blank_and_nil() -> None:
    data = {"f": False, "n": None, "e": ""}
    blank = [name for name in ("f", "n", "e", "x") if text(f"{{% if {name} == blank %}}y{{% endif %}}", **data)]
    nil = [name for name in ("f", "n", "e", "x") if text(f"{{% if {name} == nil %}}y{{% endif %}}", **data)]
    truthy = [name for name in ("f", "n", "e", "x") if text(f"{{% if {name} %}}y{{% endif %}}", **data)]
    assert (blank, nil, truthy) == (["f", "n", "e", "x"], ["n", "x"], ["e"])


def test_msg_case_05_a_variable_assigned_from_nothing() -> None:
    source = (
        "{% assign n = appt %}{% for appt in objects.appointments %}{% if n == blank or n < appt.date %}"
        "{% assign n = appt.date %}{% endif %}{% endfor %}{% if n == blank %}none{% endif %}"
    )
    assert text(source, objects={"appointments": []}) == "none"


def test_msg_case_06_a_text_that_says_a_number() -> None:
    customer = {**CUSTOMER, "spend": "150"}
    assert text("{% if customer.spend > 100 %}y{% endif %}", customer=customer) == "y"
    assert text("{{customer.spend | plus: 0 | times: 2}}", customer=customer) == "300"
    assert text("{{4 | times: 2.5}} {{5.0 | times: 2}}") == "10 10"


def test_msg_case_07_values_are_not_read_again_unless_that_is_asked_for() -> None:
    journey = {"body": "Hello {{customer.first_name}}!"}
    assert text("{{journey.body}}", journey=journey) == journey["body"]
    assert text("{% render_liquid journey.body %}", journey=journey) == "Hello alex!"


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ('1596153600 | date: "%B %-d, %Y"', "July 31, 2020"),
        ('"1596153600" | date: "%B %-d, %Y"', "July 31, 2020"),
        ('1483272000 | date: "%H:%M, %a, %b %d, %Y"', "12:00, Sun, Jan 01, 2017"),
        ("1483272000 | date: '%Y-%m-%d %H:%M:%S', 'America/New_York'", "2017-01-01 07:00:00"),
        ("1483272000 | date: '%Y-%m-%d %H:%M:%S', 360", "2017-01-01 06:00:00"),
        ('"1983-03-15T12:00:00Z" | date: "%s"', "416577600"),
        ('"Fri, 04 Feb 2022 23:49:39 GMT" | date: "%s"', "1644018579"),
    ],
)
def test_msg_case_09_dates(source: str, result: str) -> None:
    assert text(f"{{{{ {source} }}}}") == result


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("currency", "$1,234,567.90"),
        ("currency: 'en-GB'", "£1,234,567.90"),
        ("currency: 'en','EUR'", "€1,234,567.90"),
        ("rounded_currency: 'en','EUR'", "€1,234,568"),
    ],
)
def test_msg_case_10_currency(source: str, result: str) -> None:
    assert text(f"{{{{ 1234567.896 | {source} }}}}") == result


def test_msg_case_11_hashes() -> None:
    digest = "6dddb773238216bce273133bc3f6a12a824f41dd184d09452f05c7659dae7d57"
    assert text('{{ "Customer.io" | md5 }}') == "d52b6a207bf5255c05b1d0056230617e"
    assert text('{{ "Customer.io" | hmac_sha256: "some_key" }}') == digest
    base64 = "bd23cyOCFrzicxM7w/ahKoJPQd0YTQlFLwXHZZ2ufVc="
    assert text('{{ "Customer.io" | hmac_sha256: "some_key" | hex_base64 }}') == base64


def test_msg_case_13_group_by() -> None:
    purchases = [
        {"title": "utensils", "type": "kitchen"},
        {"title": "garlic press", "type": "kitchen"},
        {"title": "vacuum", "type": "household"},
    ]
    source = (
        "{% assign groups = purchases | group_by: 'type' | sort: 'name'REVERSE %}{% for group in groups %}{{group.name}}:"
        " {{ group.items | sort: 'title'REVERSE | map: 'title' | join: ', ' }};{% endfor %}"
    )
    ascending = text(source.replace("REVERSE", ""), purchases=purchases)
    descending = text(source.replace("REVERSE", " | reverse"), purchases=purchases)
    assert ascending == "household: vacuum;kitchen: garlic press, utensils;"
    assert descending == "kitchen: utensils, garlic press;household: vacuum;"


def test_msg_case_14_random() -> None:
    assert {text("{% random 1 %}") for _ in range(1_000)} == {"0", "1"}
    assert {text("{% random 3 %}") for _ in range(1_000)} == {"0", "1", "2", "3"}
    assert {text("{{ 3 | random }}") for _ in range(1_000)} == {"0", "1", "2", "3"}


def test_msg_case_15_structures() -> None:
    customer = {**CUSTOMER, "tags": ["a", 1, None], "more": {"x": True}}
    purchase = [{"product_name": "shoes", "price": 9.5}, {"product_name": "socks", "price": 2}]
    assert text("{{ list }}", list=[1, 2, 3]) == "123"
    assert json.loads(text('{{customer | replace: "=>", ":"}}', customer=customer)) == customer
    assert json.loads(text("{{trigger.purchase | to_json}}", trigger={"purchase": purchase})) == purchase


def test_msg_case_17_the_person_whose_relationship_fired() -> None:
    source = "Hi {{customer.first_name}}! {{trigger.customer.first_name}} just joined your {{trigger.online_class.name}} class."
    trigger = {"customer": {"first_name": "Ali"}, "online_class": {"name": "Calculus 1A"}, "relationship": {}}
    shown = text(source, customer={"first_name": "Jeff"}, trigger=trigger)
    assert shown == "Hi Jeff! Ali just joined your Calculus 1A class."


def test_msg_case_18_somebody_related_to_nothing() -> None:
    source = "{% assign c = objects.online_classes | size %}{% if c == 0 %}sign up{% endif %}"
    assert text(source, objects={"online_classes": []}) == "sign up"


def test_msg_case_19_the_scope_of_snippets() -> None:
    snippets = Snippets({"s": "{{customer.id}}{% if a %}X{% endif %}{% assign b = 1 %}"})
    assert text('{% assign a="1" %}{{snippets.s}}{% if b %}Y{% endif %}', snippets=snippets) == "1"


def test_msg_case_21_a_layout_takes_the_body_as_data() -> None:
    context = message_context(
        customer={**CUSTOMER, "first_name": "{{customer.id}}"},
        event=None,
        journey={},
        journey_id="j",
        campaign=CampaignNames(4, "welcome", "Welcome", "segment"),
        delivery_id="d1",
        unsubscribe_url="https://x.io/unsubscribe/d1",
    )
    layout = Layout(1, "Ours", '<h1>L</h1>{{ content }}<a href="{% unsubscribe_url %}">u</a>')
    message = EmailMessage.model_validate({"subject": "Hi", "body": "<p>{{customer.first_name}}</p>"})
    email = render_email(message, Surroundings(SenderIdentity("t@x.io", None), layout), context, NOW)
    assert "<h1>L</h1><p>{{customer.id}}</p>" in email.html
    assert 'href="https://x.io/unsubscribe/d1"' in email.html


def test_msg_case_33_the_words_of_the_composer() -> None:
    assert check_syntax("{% coyotes %}") == "Unknown tag 'coyotes'"
    assert check_syntax("{% if customer.a %}x") == "if tag was never closed"
    assert check_syntax("{% if %}{% endif %}") == "Syntax Error in tag 'if' - Valid syntax: if [expression]"


@pytest.mark.parametrize(
    ("trigger", "word"),
    [
        ("segment", "behavioral"),
        ("event", "transactional"),
        ("form", "form"),
        ("date", "date"),
        ("object", "object"),
        ("relationship", "relationship"),
        ("transactional", "transactional_message"),
        ("broadcast", "triggered_broadcast"),
    ],
)
def test_metadata_of_every_kind_of_automation(trigger: str, word: str) -> None:
    context = message_context(
        customer=CUSTOMER,
        event=None,
        trigger={"a": 1},
        journey={},
        journey_id="j",
        campaign=CampaignNames(4, "welcome", "Welcome", trigger),
        message=MessageNames(9, "Hello", "email_action"),
    )
    assert render("{{campaign.id}} {{campaign.type}} {{message.id}} {{delivery_id}}", context, now=NOW) == (
        f"4 {word} 9 unsent"
    )
    name = render("{{campaign.name | default: 'missing'}}", context, now=NOW)
    assert name == ("missing" if trigger == "transactional" else "Welcome")


def test_metadata_of_the_message_that_is_chosen() -> None:
    content = EmailMessage.model_validate({"subject": "Hi {{ x }}", "body": "b", "editor": "drag_and_drop"})
    context = with_content({"message": {"id": 9}}, content, to_everyone=True)
    assert render("{{message.id}} {{message.subject}} {{editor}}", context, now=NOW) == "9 Hi {{ x }} bee"
    assert render("{{message.send_to_unsubs}} {{message.preheader | default: '-'}}", context, now=NOW) == "true -"


def test_where_nobody_travels_every_attribute_is_empty() -> None:
    assert render("[{{customer.a}}{{customer}}]", {"customer": NOBODY}, now=NOW) == "[]"
    assert render("{% if customer.x == blank %}y{% endif %}", {"customer": NOBODY}, now=NOW) == "y"
    assert render("{% assign customer.a = 1 %}{{customer.a}}{{customer.b}}", {"customer": NOBODY}, now=NOW) == "1"


def test_links_that_the_context_holds() -> None:
    links = {VIEW_URL: "https://x.io/v", PREFERENCES_URL: "https://x.io/p"}
    source = "{% view_in_browser_url %} {% manage_subscription_preferences_url %}"
    assert text(source, **links) == "https://x.io/v https://x.io/p"
    anchor = '<a href="https://x.io/v" class="untracked">View in browser</a>'
    assert text("{% capture y %}{% view_in_browser %}{% endcapture %}{{ y }}", **links) == anchor
