"""Variables that a template cannot do without (MSG-05)."""

from __future__ import annotations

import pytest

from rendering.roots import demanded

ROOTS = frozenset({"event", "trigger"})


@pytest.mark.parametrize(
    ("source", "root"),
    [
        ("plain", None),
        ("{{ customer.event }}", None),
        ("Hi {{ event.name }}", "event"),
        ("{% for item in event.items %}{{ item.event }}{% endfor %}", "event"),
        ("{{ trigger.x | upcase }}{{ event.y }}", "event"),
        ("{{ event.name | default: 'you' }}", None),
        ("{% if event.name %}{{ event.name }}{% endif %}", None),
        ("{%- unless event -%}no{%- endunless -%}", None),
        ("{% case event.name %}{% when 'a' %}{{ event.name }}{% endcase %}", None),
        ("{% assign name = event.name %}{% if name %}{{ name }}{% endif %}", None),
        ("{% assign event = customer %}{{ event.name }}", None),
        ("{% if event %}{% endif %}{{ trigger['a b'] }}", "trigger"),
        ("{% liquid\n echo event.name\n %}", "event"),
        ("{% broken", None),
    ],
)
def test_what_a_template_demands(source: str, root: str | None):
    assert demanded(source, ROOTS) == root
