"""Templates: missing data, comparisons, dates, limits (MSG-01 to MSG-14)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rendering.errors import RenderError
from rendering.liquid import check_syntax, render
from rendering.tags import UNSUBSCRIBE_URL

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CUSTOMER = {
    "id": "1",
    "email": "a@x.io",
    "first_name": "alex",
    "spend": "150",
    "f": False,
    "n": None,
    "e": "",
    "list": [1, 2, 3],
    "thing": {"a": [1.0, "x"], "b": None},
    "sly": "{{customer.first_name}}",
}


def text(source: str, **more: Any) -> str:
    return render(source, {"customer": CUSTOMER, **more}, now=NOW)


def fails(source: str) -> str:
    with pytest.raises(RenderError) as caught:
        text(source)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ('Hi {{customer.nick | default: "Buddy"}}!', "Hi Buddy!"),
        ("{% if customer.x %}a{% else %}b{% endif %}", "b"),
        ("{% unless customer.x %}a{% endunless %}", "a"),
        ("{% case customer.x %}{% when 'a' %}a{% else %}b{% endcase %}", "b"),
        ("{% if customer.x == blank %}a{% endif %}{% if customer.x != blank %}b{% endif %}", "a"),
        ("{% if customer.f == blank and customer.n == blank and customer.e == blank %}a{% endif %}", "a"),
        ("{% if customer.x == nil and customer.n == nil %}a{% endif %}", "a"),
        ("{% if customer.f == nil or customer.e == nil %}a{% else %}b{% endif %}", "b"),
        ("{% if customer.x < 10 or customer.x > 0 or customer.x contains 'a' %}a{% else %}b{% endif %}", "b"),
        ("{% if customer.x.size > 0 %}a{% else %}b{% endif %}", "b"),
        ("{% assign y = customer.x %}{% if y == blank %}a{% endif %}", "a"),
        ("{% if customer.e %}a{% endif %}{% if customer.f %}b{% endif %}", "a"),
        ("[{{ customer.n }}]", "[]"),
        ("{% if customer.spend > 100 %}a{% endif %}", "a"),
        ("{% if '5' == 5 and 'true' == true %}a{% endif %}", "a"),
        ("{% if 'True' == 'true' %}a{% else %}b{% endif %}", "b"),
        ("{% if customer.first_name > 3 %}a{% else %}b{% endif %}", "b"),
        ("{% if customer.list contains 2 %}a{% endif %}", "a"),
        ("{{customer.spend | plus: 0 | times: 2}}", "300"),
        ("{{4 | times: 2.5}} {{5.0 | times: 2}} {{ 7 | divided_by: 2 }}", "10 10 3"),
        ("{{ -3 | modulo: 2}} {{ -7 | modulo: 3}}", "1 2"),
        ("{{customer.list}}", "123"),
        ("{{customer.thing}}", '{"a"=>[1, "x"], "b"=>null}'),
        ('{{customer.thing | replace: "=>", ":"}}', '{"a":[1, "x"], "b":null}'),
        ("{{customer.thing | to_json}}", '{"a":[1.0,"x"],"b":null}'),
        ("{{customer.sly}}", "{{customer.first_name}}"),
        ("{{ true | append: '!' }}", "true!"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{% liquid\n echo customer.thing.a\n%}", "1x"),
        ("{{ '%00x' | url_decode }}", "x"),
        ("plain % text }}", "plain % text }}"),
    ],
)
def test_render(source: str, result: str) -> None:
    assert text(source) == result


@pytest.mark.parametrize(
    "source",
    [
        "{{customer.x}}",
        "{{customer.x | upcase}}",
        "{{customer.x | plus: 1}}",
        "{{customer.x | date: '%Y'}}",
        "{{customer.x | size}}",
        "{{'a' | append: customer.x}}",
        "{% for i in customer.x %}{% endfor %}",
        "{% assign y = customer.x %}{{ y }}",
    ],
)
def test_missing_data_fails_where_it_would_be_printed(source: str) -> None:
    assert fails(source) == "Variable 'customer.x' is missing"


def test_a_root_that_does_not_exist_fails_too_and_no_variable_reads_a_clock() -> None:
    assert fails("{{trigger.x}}") == "Variable 'trigger.x' is missing"
    assert fails("{{now}}") == "Variable 'now' is missing"


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ('{{"now" | date: "%s %F %T"}}', "1767323045 2026-01-02 03:04:05"),
        ('{{1596153600 | date: "%B %-d, %Y"}}', "July 31, 2020"),
        ('{{"1596153600" | date: "%d/%m/%Y"}}', "31/07/2020"),
        ('{{1483272000 | date: "%H:%M, %a, %b %d, %Y"}}', "12:00, Sun, Jan 01, 2017"),
        ("{{1483272000 | date: '%Y-%m-%d %H:%M:%S', 'America/New_York'}}", "2017-01-01 07:00:00"),
        ("{{1483272000 | date: '%Y-%m-%d %H:%M:%S', 360}}", "2017-01-01 06:00:00"),
        ('{{"1983-03-15T12:00:00Z" | date: "%s"}}', "416577600"),
        ('{{"Fri, 04 Feb 2022 23:49:39 GMT" | date: "%s"}}', "1644018579"),
        ('{{"March 10, 2022" | date: "%F"}}', "2022-03-10"),
        ('{{"rubbish" | date: "%F"}}', "rubbish"),
        ('{{99999999999999999 | date: "%F"}}', "99999999999999999"),
    ],
)
def test_dates(source: str, result: str) -> None:
    assert text(source) == result


def test_a_zone_that_is_none_fails() -> None:
    assert "Mars/X" in fails('{{1 | date: "%F", "Mars/X"}}')


def test_links_of_a_delivery() -> None:
    url = {UNSUBSCRIBE_URL: "https://x.io/unsubscribe/d"}
    assert text("{% unsubscribe %}", **url) == (
        '<a href="https://x.io/unsubscribe/d" class="untracked">Unsubscribe</a>'
    )
    assert text("{% unsubscribe_url lang='fr' %}", **url) == "https://x.io/unsubscribe/d"
    assert fails("{% manage_subscription_preferences_url %}") == "there is no page of subscription preferences"
    assert "nothing to unsubscribe from" in fails("{% unsubscribe %}")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{% coyotes %}", "Unknown tag 'coyotes'"),
        ("{% include 'x' %}", "Unknown tag 'include'"),
        ("{% if customer.a %}x", "if tag was never closed"),
        ("{% if %}{% endif %}", "Syntax Error in tag 'if' - Valid syntax: if [expression]"),
        ('{{ "x" | nope }}', "Unknown filter 'nope'"),
        ("a\nb {{ customer.trial", "Variable {{ was not properly terminated with regexp: /}}/, line 2"),
        ("{% unsubscribe_url nonsense %}", "Syntax Error in tag 'unsubscribe_url'"),
        ("{% if a %}" * 40, "block nesting limit reached"),
    ],
)
def test_faults_are_found_before_there_is_data(source: str, fault: str) -> None:
    assert fault in (check_syntax(source) or "")


@pytest.mark.parametrize("source", ["", "plain", "{{ customer.anything | default: 'x' }}", "{% unsubscribe %}"])
def test_what_parses_has_no_fault(source: str) -> None:
    assert check_syntax(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..100000) %}{% endfor %}",
        "{% for i in (1..10000) %}{% for j in (1..10000) %}x{% endfor %}{% endfor %}",
        '{% for i in (1..9999) %}{{ "' + "a" * 400 + '" }}{% endfor %}',
        '{% assign a="aaaaaaaa" %}{% for i in (1..100) %}{% assign a = a | append: a %}{% endfor %}',
        '{% assign a="aaaaaaaa" %}{% for i in (1..100) %}{% assign a = a | replace: "a", a %}{% endfor %}',
        "{% assign a = customer.list %}{% for i in (1..100) %}{% assign a = a | concat: a %}{% endfor %}",
        "{% assign a=9 %}{% for i in (1..100) %}{% assign a = a | times: a %}{% endfor %}",
        "{{ (1..999999999) | join: ' ' }}",
        "{{ (1..99999999999999999999999) | join }}",
        "{{ 1 | divided_by: 0 }}",
        "{% for i in (1..9999) %}"
        + "{% assign b = customer.list | join: 'x' | split: 'x' | reverse | join %}" * 100
        + "{% endfor %}",
    ],
)
def test_templates_cannot_run_away(source: str) -> None:
    assert fails(source)
