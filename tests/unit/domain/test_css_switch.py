"""The switch for CSS inlining counts when an email is made, wherever it stands, and no document makes reading it fail."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.definitions.css_switch import filled

OFF = {"kind": "settings", "key": "workspace", "css_inlining": False}
SAID = {"subject": "s", "body": "b"}
NEWS = {"kind": "transactional", "key": "t", "channel": "email", "message": SAID}


def flag(document: Any, *path: str) -> Any:
    for name in path:
        document = document[name]
    return document.get("css_inlining")


def settled(document: dict[str, Any], before: dict[str, Any] | None = None, settings: Any = OFF) -> Any:
    stored = {("settings", "workspace"): settings}
    if before is not None:
        stored[(before["kind"], before["key"])] = before
    ((pointer, found),) = filled([("/0", document)], stored)
    assert pointer == "/0"
    return found


def test_a_template_made_while_it_is_off_says_so() -> None:
    assert flag(settled(NEWS), "message") is False
    assert settled(NEWS, settings={}) == NEWS
    assert settled({**NEWS, "channel": "sms"}) == {**NEWS, "channel": "sms"}


def test_other_editors_have_no_switch() -> None:
    for editor in ("rich_text", "drag_and_drop", "design_studio"):
        document = {**NEWS, "message": {**SAID, "editor": editor}}
        assert settled(document) == document


def test_what_is_there_keeps_what_it_was() -> None:
    assert settled(NEWS, before=NEWS) == NEWS
    for said in (True, False):
        before = {**NEWS, "message": {**SAID, "css_inlining": said}}
        assert flag(settled(NEWS, before, {}), "message") is said


def test_each_arm_and_each_block_is_an_email_of_its_own() -> None:
    hello = {"type": "email", "message": SAID}
    before = {"kind": "broadcast", "key": "b", "workflow": {"blocks": {"a": hello}}}
    tested = {**hello, "ab_test": {"percent": 50, "message": SAID}}
    found = settled({**before, "workflow": {"blocks": {"a": tested, "c": hello}}}, before)["workflow"]["blocks"]
    assert flag(found, "a", "message") is None
    assert flag(found, "a", "ab_test", "message") is False
    assert flag(found, "c", "message") is False


def test_the_settings_of_the_same_bundle_count() -> None:
    assert flag(filled([("/0", NEWS), ("/1", OFF)], {})[0][1], "message") is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "message", "blocks"]), inner),
    max_leaves=8,
)
KINDS = st.sampled_from(["campaign", "broadcast", "transactional", "settings", None, 7])


@given(kind=KINDS, workflow=JSON, message=JSON, channel=st.sampled_from(["email", None, []]))
def test_anything(kind: Any, workflow: Any, message: Any, channel: Any) -> None:
    raw = {"kind": kind, "key": "k", "workflow": workflow, "message": message, "channel": channel}
    assert len(filled([("", raw), ("", message)], {("settings", "workspace"): OFF})) == 2
