"""What is made of HTML: the text part and the parameters of links (MSG-23, SUB-38)."""

from __future__ import annotations

import time

import pytest

from rendering.plain_text import plain_text
from rendering.url_parameters import add_parameters, with_parameters


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Hi &amp; welcome</h1>\n <p>One\n two</p>", "Hi & welcome\n\nOne two"),
        ('<p><a href="https://x.io/?a=1&amp;b=2">Start</a> now</p>', "Start (https://x.io/?a=1&b=2) now"),
        ('<a href="https://x.io">https://x.io</a>', "https://x.io"),
        ('<a href="mailto:a@x.io">a@x.io</a>', "a@x.io"),
        ('<a href="https://x.io"><img src="l.png" alt="Logo"></a>', "Logo (https://x.io)"),
        ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
        ("<head><title>T</title><style>p{}</style></head><body>Body<script>x<y</script></body>", "Body"),
        ("a<br>b<br/>c<!-- > no -->d", "a\nb\ncd"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("&nbsp;&zwnj;x", "\u200cx"),
        ("", ""),
    ],
)
def test_plain_text(html: str, text: str) -> None:
    assert plain_text(html) == text


UTM = {"utm_source": "sojourn", "utm_campaign": "Retention 1 [Internal]"}


@pytest.mark.parametrize(
    ("url", "extended"),
    [
        ("https://example.com", "https://example.com/?utm_campaign=Retention+1+%5BInternal%5D&utm_source=sojourn"),
        (
            "https://example.com/a?x=1#end",
            "https://example.com/a?x=1&utm_campaign=Retention+1+%5BInternal%5D&utm_source=sojourn#end",
        ),
        (
            "https://example.com/?utm_source=mine",
            "https://example.com/?utm_source=mine&utm_campaign=Retention+1+%5BInternal%5D",
        ),
        ("mailto:a@x.io", "mailto:a@x.io"),
        ("#top", "#top"),
        ("https://[broken", "https://[broken"),
    ],
)
def test_with_parameters(url: str, extended: str) -> None:
    assert with_parameters(url, UTM, {}) == extended


def test_links_of_a_message() -> None:
    html = (
        "<a class='x' href='https://a.io/?q=1&amp;r=2'>a</a>"
        '<a href="https://b.io" class="disable-url-params">b</a>'
        '<a data-ignore-params href="https://c.io/">c</a>'
        '<a href="https://app/unsubscribe/1">u</a><img src="https://d.io/">'
    )
    assert add_parameters(html, {"s": "w"}, {"q2": "hello world"}, untouched=["https://app/unsubscribe/1"]) == (
        "<a class='x' href='https://a.io/?q=1&amp;r=2&amp;s=w&amp;q2=hello%20world'>a</a>"
        '<a href="https://b.io/?q2=hello%20world" class="disable-url-params">b</a>'
        '<a  href="https://c.io/?s=w">c</a>'
        '<a href="https://app/unsubscribe/1">u</a><img src="https://d.io/">'
    )


@pytest.mark.parametrize("hostile", ["<a " * 100_000, "<a '" * 50_000, '<a href="' * 50_000 + "'", "<!--" * 50_000])
def test_hostile_html_takes_no_more_than_a_moment(hostile: str) -> None:
    begun = time.thread_time()
    plain_text(hostile)
    add_parameters(hostile, {"a": "b"}, {})
    assert time.thread_time() - begun < 5
