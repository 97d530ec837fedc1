"""Traces that are off, headers that name none, and what is loaded for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from settings import CHECKOUT, Settings, TracingSettings, pairs_of
from telemetry import tracing
from telemetry.setup import traced
from telemetry.spans import read, written

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_header_names_a_trace():
    context = read(f"00-{TRACE}-{SPAN}-01")
    assert context is not None
    assert written(context) == f"00-{TRACE}-{SPAN}-01"
    later = read(f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like")
    assert later is not None
    assert later.trace_id == context.trace_id


def test_a_caller_that_records_nothing_leaves_nothing_to_be_kept():
    context = read(f"00-{TRACE}-{SPAN}-00")
    assert context is not None
    assert written(context) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_what_is_no_header_names_none(text: str):
    assert read(text) is None


async def test_where_traces_are_off_nothing_is_recorded():
    for endpoint, sample in ((None, 1.0), ("http://127.0.0.1:9", 0.0)):
        async with traced("test", endpoint=endpoint, sample=sample, headers={}, resource={}):
            assert not tracing.on()
            with tracing.call([(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())], "GET") as span:
                assert not span.recorded
                assert tracing.current() is None


def test_nothing_of_opentelemetry_is_loaded_where_traces_are_off():
    code = "import sys, api.app, worker, worker_endpoint, workflows.runtime; print('opentelemetry.sdk' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_pairs_are_read_and_anything_else_is_refused():
    assert pairs_of("a=1, b = x=y ,") == {"a": "1", "b": "x=y"}
    assert pairs_of(None) == {}
    for text in ("a", "=1", "a=1,b"):
        with pytest.raises(ValueError, match="name=value"):
            pairs_of(text)


@pytest.mark.parametrize("values", [{"endpoint": "collector:4318"}, {"sample": 2}, {"headers": "x"}, {"more": 1}])
def test_settings_that_cannot_be_right_are_refused(values: dict):
    with pytest.raises(ValueError, match=r"tracing|TracingSettings"):
        Settings(tracing=values)


def test_headers_are_kept_out_of_texts():
    assert "secret" not in repr(TracingSettings(headers="authorization=secret"))
