"""Liquid in data blocks: the documented results, chance, Liquid that is data (ACT-20, ACT-21, ACT-25)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.data_values import read_rendered
from rendering.errors import RenderError
from rendering.liquid import check_syntax, render

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAYLOAD = {
    "name": "purchase",
    "purchased_at": "Fri, 04 Feb 2022 23:49:39 GMT",
    "purchase": [{"product_name": "shoes", "price": 9.5}, {"product_name": "socks", "price": 2}],
}
CONTEXT = {
    "customer": {"first_name": "Alex", "city": "Zürich & Co"},
    "journey": {
        "body": "Hello {{customer.first_name}}!",
        "broken": "{% if %}",
        "loop": "x{% render_liquid journey.loop %}",
    },
    "trigger": PAYLOAD,
}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ('{{ trigger.purchased_at | date: "%s" }}', 1644018579),
        ('{{ trigger.name | prepend: "online_" }}', "online_purchase"),
        ("{{ trigger.purchase | map: 'product_name' }}", "shoessocks"),
        ("{{ trigger.purchase | map: 'product_name' | join: ', ' }}", "shoes, socks"),
        ("{{ trigger.purchase | to_json }}", PAYLOAD["purchase"]),
        ("{{ trigger.purchase | json }}", PAYLOAD["purchase"]),
        ("{{ customer.city | encode }}", "Z%C3%BCrich+%26+Co"),
        ('{{ "2026-01-01T12:00:00Z" | date: "%H:%M", "America/New_York" }}', "07:00"),
    ],
)
def test_act_case_26_documented_results(template: str, value: object) -> None:
    assert read_rendered(render(template, CONTEXT, now=NOW)) == value


@pytest.mark.parametrize("template", ["{{ x | date: %s }}", "{{ x | prepend 'y' }}", "{{ x | map product }}"])
def test_snippets_of_the_docs_that_are_no_liquid_are_refused(template: str) -> None:
    assert check_syntax(template) is not None


def test_act_20_random_is_a_whole_number_up_to_and_with_its_limit() -> None:
    drawn = {render("{% random 3 %}", {}, now=NOW) for _ in range(400)}
    assert drawn == {"0", "1", "2", "3"}
    cohort = "{% capture r %}{% random 1 %}{% endcapture %}{% case r %}{% when '0' %}A{% else %}B{% endcase %}"
    assert {render(cohort, {}, now=NOW) for _ in range(100)} == {"A", "B"}
    assert render("{% random n %}", {"n": 0}, now=NOW) == "0"


@pytest.mark.parametrize(
    "template", ["{% random 'a' %}", "{% random -1 %}", "{% random 1.5 %}", "{% random missing %}"]
)
def test_random_of_no_number_fails(template: str) -> None:
    with pytest.raises(RenderError):
        render(template, {}, now=NOW)


def test_liquid_in_data_is_text_until_it_is_asked_for() -> None:
    assert render("{{ journey.body }}", CONTEXT, now=NOW) == "Hello {{customer.first_name}}!"
    assert render("{% render_liquid journey.body %}", CONTEXT, now=NOW) == "Hello Alex!"
    assert render("{% render_liquid journey.body | upcase %}", {"journey": {"body": "a"}}, now=NOW) == "A"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{% render_liquid journey.nothing %}", "journey.nothing"),
        ("{% render_liquid journey.loop %}", "3 levels"),
        ("{% render_liquid '{{ customer.nick }}' %}", "customer.nick"),
        ("{% render_liquid journey.broken %}", "expression"),
    ],
)
def test_liquid_in_data_that_fails(template: str, why: str) -> None:
    with pytest.raises(RenderError, match=why):
        render(template, CONTEXT, now=NOW)


def test_three_levels_are_allowed() -> None:
    levels = {"one": "1{% render_liquid two %}", "two": "2{% render_liquid three %}", "three": "3"}
    assert render("{% render_liquid one %}", levels, now=NOW) == "123"


@pytest.mark.parametrize("template", ["{% random %}", "{% render_liquid %}", "{% render_liquid a | nofilter %}"])
def test_wrong_tags_are_refused_when_they_are_saved(template: str) -> None:
    assert check_syntax(template) is not None
