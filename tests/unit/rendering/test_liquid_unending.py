"""Templates that never end, and long runs of blanks in them: read once, whatever stands there (MSG-07)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rendering.liquid import check_syntax, render

MANY = 100_000
BLANKS = " " * MANY
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDLESS = "Variable {{ was not properly terminated with regexp: /}}/"
ENDLESS_TAG = "Tag '{%' was not properly terminated with regexp: /\\%}/"
WRONG_LINK = (
    "Syntax Error in tag 'cio_link' - Valid syntax: cio_link url:https://example.com [track:true] [url_params:true]"
)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{{" * MANY, ENDLESS),
        ("{{" + BLANKS, ENDLESS),
        ("{%" * MANY, ENDLESS_TAG),
        ("{% if" + BLANKS + "a", ENDLESS_TAG),
        ("{% " + "a" * MANY, ENDLESS_TAG),
        ("{% raw" + BLANKS + "x", ENDLESS_TAG),
        ("{{" + BLANKS + "}}", "expected a primitive expression, found end of expression"),
        ("{% comment" + BLANKS + "%}" + "{{" * MANY + "{% endcomment %}", None),
        ("{% comment %}{% raw" + BLANKS + "x %}{% endcomment %}", None),
        ("{% cio_link url:a" + BLANKS[:40_000] + "! %}", WRONG_LINK),
        ("{% liquid echo a" + BLANKS[:40_000] + "! %}", "unknown operator '!'"),
    ],
)
def test_is_read_once(source: str, fault: str | None) -> None:
    assert check_syntax(source) == fault


def test_white_space_is_taken_away_where_hyphens_say_so_and_nowhere_else() -> None:
    source = "a {{- 1 -}} b \n{%- if true %} c {% endif -%} \n d\n"
    assert render(source, {}, now=NOW) == "a1b c d\n"
    assert render("{{ 1 -}} b\n", {}, now=NOW) == "1b\n"


def test_a_brace_before_a_tag_is_a_text() -> None:
    assert render('{"a":{{% if true %}"b":1{% endif %}', {}, now=NOW) == '{"a":{"b":1'


def test_lines_of_the_tag_liquid_may_be_blank() -> None:
    source = "{% liquid\n assign a = 1  \n   \n\r\n if a == 1 \r\n echo a | plus: 1 \n else \r\n echo 'x'\n endif\n%}"
    assert render(source, {}, now=NOW) == "2"
