"""Embedded styles at the tags they mean: what moves, what stays, and that the HTML is the author's otherwise (MSG-29)."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rendering import css_inlining
from rendering.css_inlining import inline_css


def test_msg_case_29_a_rule_moves_and_a_media_rule_stays() -> None:
    html = "<style>p{color:red}@media(max-width:600px){p{color:blue}}</style><p>x</p>"
    assert inline_css(html) == '<style>@media(max-width:600px){p{color:blue}}</style><p style="color: red;">x</p>'


@pytest.mark.parametrize(
    ("html", "inlined"),
    [
        ("<p>x</p>", "<p>x</p>"),
        ("<style>b{top:1px}</style>plain <B>x</B>", 'plain <B style="top: 1px;">x</B>'),
        ("<style>p{top:1px}</style><p style='left:0' class=a>x", '<p style="top: 1px;left: 0" class=a>x'),
        ("<style>p{top:1px !important}</style><p style='top:0'>x</p>", '<p style="top: 1px !important">x</p>'),
        ("<style>br{top:1px}</style>a<br/>b", 'a<br style="top: 1px;"/>b'),
        ('<style>p{font-family:"A & B"}</style><p>x</p>', "<p style=\"font-family: 'A & B';\">x</p>"),
        ("<style>#a.b>i{top:1px}</style><p id=a class='b c'><i>x</i></p><i>y</i>",
         "<p id=a class='b c'><i style=\"top: 1px;\">x</i></p><i>y</i>"),
        ("<style>[href^='x']{top:1px}</style><a href='xy'>1</a><a href=z>2</a>",
         "<a style=\"top: 1px;\" href='xy'>1</a><a href=z>2</a>"),
        ("<style>a:hover{top:1px}</style><a>x</a>", "<style>a:hover { top: 1px; }</style><a>x</a>"),
        ("<style>@font-face{font-family:F;src:url(f)}</style><p>x</p>",
         "<style>@font-face{font-family:F;src:url(f)}</style><p>x</p>"),
        ("<style data-embed>p{top:1px}</style><p>x</p>", "<style data-embed>p{top:1px}</style><p>x</p>"),
        ("<style data-ignore-inlining>p{top:1px}</style><p>x</p>",
         "<style data-ignore-inlining>p{top:1px}</style><p>x</p>"),
        ("<style media=print>p{top:1px}</style><p>x</p>", "<style media=print>p{top:1px}</style><p>x</p>"),
        ("<!--[if mso]><style>p{top:1px}</style><![endif]--><p>x</p>",
         "<!--[if mso]><style>p{top:1px}</style><![endif]--><p>x</p>"),
        ("<style>p{top:1px}</style><![if !mso]><p>x</p><![endif]>",
         '<![if !mso]><p style="top: 1px;">x</p><![endif]>'),
        ("<style>p{top:1px}</style><script type='application/json+trustpilot'>{\"a\":\"<p>\"}</script><p>x</p>",
         "<script type='application/json+trustpilot'>{\"a\":\"<p>\"}</script><p style=\"top: 1px;\">x</p>"),
        ("<p>x</p><style>p{top:1px}", "<p>x</p><style>p{top:1px}"),
        ("<title><style></title><p>x", "<title><style></title><p>x"),
    ],
)  # fmt: skip
def test_what_becomes_of(html: str, inlined: str) -> None:
    assert inline_css(html) == inlined


def test_a_whole_document_keeps_all_that_is_not_style() -> None:
    html = (
        "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN'>\n<html><head><meta charset=utf-8>\n"
        "<style>td{padding:0}</style></head>\n<body bgcolor=red><table><tr><td>1<td class=x>2</table></body></html>\n"
    )
    inlined = html.replace("<style>td{padding:0}</style>", "").replace("<td", '<td style="padding: 0;"')
    assert inline_css(html) == inlined


def test_a_linked_sheet_is_left_alone_and_never_fetched() -> None:
    asked: list[str] = []

    class Sheet(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sheet)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/x.css"
        html = f"<link rel=stylesheet href='{url}'><style>@import url({url}); p{{top:1px}}</style><p>x</p>"
        inlined = inline_css(html)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
    assert inlined.startswith(f"<link rel=stylesheet href='{url}'>")
    assert inlined.endswith('<p style="top: 1px;">x</p>')
    assert asked == []


@pytest.mark.parametrize("css", ["p{{{", "p{color:", "@@@ } p", "}", "p:foo(bar){a:b}", "/*", "p{a:b}" * 3000])
def test_no_css_fails_an_email(css: str) -> None:
    assert inline_css(f"<style>{css}</style><p>x</p>").endswith(">x</p>")


@pytest.mark.parametrize("tags", ["<div>" * 200_000, "<b><p>" * 50_000, "<table><tr><td>" * 5_000, "<p>x" * 100_000])
def test_html_without_end_is_left_as_it_is(tags: str) -> None:
    html = f"<style>div{{a:b}}</style>{tags}"
    assert inline_css(html) == html


def test_emails_of_one_template_are_looked_at_once() -> None:
    css_inlining._styles.cache_clear()
    for name in ("Ann", "Bob & co", "Zoë"):
        html = f"<style>a{{top:1px}}</style><a href='https://x.io/?n={name}'>{name}</a>"
        assert inline_css(html) == f"<a style=\"top: 1px;\" href='https://x.io/?n={name}'>{name}</a>"
    assert css_inlining._styles.cache_info().misses == 1
