"""What can be said of an address before it is called, and of secrets among many members (ACT-29, ACT-33)."""

from __future__ import annotations

import pytest

from domain.definitions.secrets import masked, unmasked
from domain.diff import MASK, DiffEntry, diff
from domain.web_addresses import basic_authorization, fault_of, host_of, split_userinfo, tidied


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://KEY:@api.example.com/x", None),
        ("https://{{ customer.host }}/x", None),
        ("{{ event.url }}", None),
        ("http{{ s }}://example.com", None),
        ("https://bücher.example/", None),
        ("https://93.184.216.34:8443/", None),
        ("", "url_invalid"),
        ("ftp://example.com/", "url_invalid"),
        ("api.example.com/{{ x }}", "url_invalid"),
        ("https://a b/", "url_invalid"),
        ("https://example.com:99999/", "url_invalid"),
        ("https:///x", "url_invalid"),
        ("https://[::1", "url_invalid"),
        ("http://localhost:8000/", "private_address"),
        ("http://api.localhost/{{ x }}", "private_address"),
        ("http://10.0.0.1?x={{ x }}", "private_address"),
        ("http://user:pass@169.254.169.254/", "private_address"),
        ("http://[::ffff:192.168.0.1]/", "private_address"),
        ("http://[fe80::1%25eth0]/", "private_address"),
    ],
)
def test_what_is_wrong_with_an_address(url: str, code: str | None) -> None:
    found = fault_of(url)
    assert (found.code if found is not None else None) == code


def test_what_stands_before_the_host_is_taken_out() -> None:
    assert split_userinfo("https://a%40b:c@example.com/x?y=1@2") == ("https://example.com/x?y=1@2", "a@b:c")
    assert split_userinfo("https://example.com/@x") == ("https://example.com/@x", None)
    assert basic_authorization("KEY:") == "Basic S0VZOg=="
    assert (tidied(" https://a.example/\n x "), host_of("https://K@A.example:1/x")) == (
        "https://a.example/ x",
        "a.example:1",
    )


def test_every_member_may_be_a_secret() -> None:
    secrets = ("/headers/*",)
    stored = {"headers": {"a": "1", "b": {"secret": "B"}, "c/d": "2"}}
    shown = masked(stored, secrets)
    assert shown == {"headers": {"a": MASK, "b": {"secret": "B"}, "c/d": MASK}}
    assert unmasked(shown, stored, secrets) == (stored, [])
    filled, problems = unmasked({"headers": {"a": MASK, "new": MASK}}, stored, secrets)
    assert filled == {"headers": {"a": "1", "new": MASK}}
    assert [(problem.code, problem.pointer) for problem in problems] == [("required", "/headers/new")]
    entries = diff({"headers": {"a": "1"}}, {"headers": {"a": "2"}})
    assert [entry.masked(secrets) for entry in entries] == [
        DiffEntry(op="replace", path="/headers/a", before=MASK, after=MASK)
    ]
    whole = ("/url@",)
    at = {"url": "https://KEY:x@example.com/{{ customer.id }}?a=b@c"}
    assert masked(at, whole) == {"url": f"https://{MASK}@example.com/{{{{ customer.id }}}}?a=b@c"}
    assert unmasked({"url": f"https://{MASK}@other.example/"}, at, whole)[0] == {"url": "https://KEY:x@other.example/"}
    assert unmasked(masked(at, whole), None, whole)[1][0].pointer == "/url"
    assert masked({"url": "https://example.com/a@b"}, whole) == {"url": "https://example.com/a@b"}
    assert diff(at, {})[0].masked(whole).before == masked(at, whole)["url"]
    (added,) = diff({}, {"headers": {"a": "2"}})
    assert added.masked(secrets).after == {"a": MASK}
