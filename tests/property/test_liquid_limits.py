"""No template and no data make rendering hang, exceed its limits, or fail in another way than the documented one."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rendering.errors import RenderError
from rendering.liquid import _ENVIRONMENT, MAX_OUTPUT, check_syntax, render, variables
from rendering.missing import BLANK
from rendering.snippets import Snippets

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FILTERS = sorted(_ENVIRONMENT.filters)
NAMES = (
    "a",
    "b",
    "customer",
    "customer.x",
    "customer.list",
    "event.items[0]",
    "snippets.s",
    "snippets.o.k",
    "forloop.index",
)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(
        ["2020-01-31", "now", "1e308", "-0", "{{ a }}", "{% for %}", "<a", "9" * 300, "﻿", "\x00", "\ud800"]
    )
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("xkab0"), inner, max_size=3),
    max_leaves=12,
)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


contexts = st.fixed_dictionaries(
    {
        "customer": st.dictionaries(st.sampled_from(["x", "list", "k"]), values, max_size=3),
        "event": st.fixed_dictionaries({"items": values}) | values,
        "a": values | st.integers(1, 3_000).map(nested),
    },
    optional={"b": values, BLANK: st.booleans(), "url parameters": st.just({"q": "{{ a }}"}) | values},
)
literals = st.sampled_from(
    [
        "1",
        "-3",
        "2.5",
        "'x'",
        '"%Y"',
        "'item', 'item.k > 1'",
        "nil",
        "true",
        "blank",
        "empty",
        "(1..4)",
        "(a..b)",
        "''",
        "0",
        "99999999999",
    ]
)
terms = st.sampled_from(NAMES) | literals
calls = st.builds(
    lambda name, arguments: f"{name}: {', '.join(arguments)}" if arguments else name,
    st.sampled_from(FILTERS),
    st.lists(terms, max_size=3),
)
expressions = st.builds(lambda term, chain: " | ".join([term, *chain]), terms, st.lists(calls, max_size=4))
conditions = st.builds(
    lambda left, operator, right: f"{left} {operator} {right}",
    terms,
    st.sampled_from(["==", "!=", "<", ">", "<=", ">=", "contains", "and", "or", "&lt;"]),
    terms,
)
junk = st.text(alphabet=string.printable + "{}%|'\"éß", max_size=30) | st.sampled_from(
    ["{{", "}}", "{%", "%}", "{{{", "{% raw %}", "{% endif %}", "{{ ((((( }}", "{% liquid echo a %}", "{{ 'x }}"]
)
atoms = (
    junk
    | st.builds("{{{{ {} }}}}".format, expressions)
    | st.builds("{{% assign {} = {} %}}".format, st.sampled_from(["a", "b", "customer.x", "a.b.c"]), expressions)
    | st.builds("{{% random {} %}}".format, terms)
    | st.builds("{{% render_liquid {} %}}".format, expressions)
    | st.builds("{{% cycle {}, {} %}}".format, terms, terms)
    | st.builds("{{% cio_link url:https://x.io/{{{{{}}}}} %}}".format, expressions)
    | st.sampled_from(["{% increment a %}", "{% break %}", "{% unsubscribe %}", "{% generate_uuid %}", "{% else %}"])
)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, conditions, inner, inner)
        | st.builds("{{% unless {} %}}{}{{% endunless %}}".format, conditions, inner)
        | st.builds("{{% case {} %}}{{% when {} %}}{}{{% endcase %}}".format, terms, terms, inner)
        | st.builds("{{% for b in {} %}}{}{{% endfor %}}".format, terms, inner)
        | st.builds("{{% for b in (1..50) limit: {} %}}{}{{% endfor %}}".format, terms, inner)
        | st.builds("{{% tablerow b in {} cols: {} %}}{}{{% endtablerow %}}".format, terms, terms, inner)
        | st.builds("{{% capture a %}}{}{{% endcapture %}}".format, inner)
        | st.builds("{}{}{}".format, inner, inner, inner)
    )


templates = st.recursive(atoms, blocks, max_leaves=10)
snippets = st.dictionaries(st.sampled_from(["s", "o"]), templates | values, max_size=2)


def outcome(source: str, context: dict[str, Any]) -> str:
    """The text, or in words why there is none; anything else that is raised fails the test."""
    try:
        return render(source, context, now=NOW)
    except RenderError as error:
        return error.message or pytest.fail("a failure says why")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(templates, contexts, snippets)
def test_every_template_renders_or_fails_as_documented(
    source: str, context: dict[str, Any], stored: dict[str, Any]
) -> None:
    fault = check_syntax(source)
    assert fault is None or fault
    assert isinstance(variables(source), dict)
    text = outcome(source, {**context, "snippets": Snippets(stored)})
    assert len(text) <= MAX_OUTPUT
    text.encode()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FILTERS), values, st.lists(values, max_size=3))
def test_every_filter_takes_any_data(name: str, value: Any, arguments: list[Any]) -> None:
    words = ", ".join(f"x{number}" for number in range(len(arguments)))
    source = f"{{{{ value | {name}{': ' if words else ''}{words} }}}}"
    context = {"value": value, **{f"x{number}": argument for number, argument in enumerate(arguments)}}
    outcome(source, context)


RUNAWAYS = {
    "nothing in many loops": "{% for i in (1..10000) %}{% endfor %}" * 3_000,
    "many tags in a loop": "{% for i in (1..10000) %}" + "{% if true %}{% endif %}" * 3_000 + "{% endfor %}",
    "many comments in a loop": "{% for i in (1..10000) %}" + "{% comment %}{% endcomment %}" * 3_000 + "{% endfor %}",
    "arrays of arrays": "{% assign a = (1..2) %}"
    "{% for i in (1..60) %}{% assign b = (1..1) %}{% assign a = b | push: a | push: a %}{% endfor %}{{ a }}",
    "arrays of arrays as JSON": "{% assign a = (1..2) %}"
    "{% for i in (1..60) %}{% assign a = a | push: a | unshift: a %}{% endfor %}{{ a | to_json }}",
    "objects of objects": "{% for i in (1..200) %}{% assign c.a = c %}{% assign c.b = c %}{% endfor %}{{ c }}",
    "texts of texts": "{% assign a = 'aaaaaaaa' %}{% for i in (1..100) %}{% assign a = a | append: a %}{% endfor %}",
    "a long chain": "{{ 'a'" + " | append: 'b' | replace: 'b', 'bb'" * 15_000 + " }}",
    "brackets": "{{ " + "(" * 40_000 + " }}",
    "brackets of texts": "{{ " + '["a" ' * 9_000 + " }}",
    "raw that never ends": "{% raw %}" * 100_000,
    "doc that never ends": "{% doc %}" * 100_000,
    "statements that never end": "{{ a " * 200_000,
    "white space": "{{ a" + " " * 900_000,
    "conditions": "{% if a" + " and a" * 5_000 + " %}x{% endif %}",
    "paths in paths": "{{ " + "a[" * 100 + "a" + "]" * 100 + " }}",
    "Liquid in data, over and over": "{% for i in (1..10000) %}{% capture a %}{% for j in (1..1) %}"
    "{{ '{{ a | size }}' }}{{ i }}{% endfor %}{% endcapture %}{% render_liquid a %}{% endfor %}",
    "a snippet, over and over": "{% for i in (1..10000) %}{{ snippets.long }}{% endfor %}",
    "scripts that never end": "{{ '" + "<script " * 60_000 + "' | strip_html | size }}",
}


@pytest.mark.parametrize("name", RUNAWAYS)
@pytest.mark.timeout(30)
def test_nothing_runs_away(name: str) -> None:
    context = {"a": 1, "c": {}, "snippets": Snippets({"long": "{{ 1 }}" + "x" * 15_000})}
    check_syntax(RUNAWAYS[name])
    assert len(outcome(RUNAWAYS[name], context)) <= MAX_OUTPUT
