"""A server on a free port that answers as providers of language models do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One call as it came in."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Server:
    """What came in, and where it answers."""

    url: str
    calls: list[Received] = field(default_factory=list)


@contextmanager
def answering(answer: Callable[[int, Received], tuple[int, Any]]) -> Iterator[Server]:
    """Answer the n-th call (from 1) as `answer` says: with a status and a JSON value, or with bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body))
            server.calls.append(received)
            status, value = answer(len(server.calls), received)
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def anthropic_answer(output: Any, **more: Any) -> dict[str, Any]:
    """A message in which the model uses the tool."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "tool_use", "id": "toolu_1", "name": "answer", "input": output}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 100, "output_tokens": 20},
        **more,
    }


def openai_answer(output: Any, **more: Any) -> dict[str, Any]:
    """A completion whose content is JSON."""
    message = {"role": "assistant", "content": json.dumps(output), "refusal": None, **more}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 50, "completion_tokens": 10, "total_tokens": 60},
    }


__all__ = ["Received", "Server", "answering", "anthropic_answer", "openai_answer"]
