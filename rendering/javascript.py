"""JavaScript values: function bodies run by an engine in a process of its own (ACT-22).

The process is started when a script is first used, a second one when that is busy; more there are not, and who comes then waits
for a turn without holding up anybody else. It knows no network, its time zone is UTC and its clock stands at the instant of the
workspace. Who takes too much of it loses it; the next script gets another.
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from queue import LifoQueue
from threading import Lock
from typing import Any, Final, NamedTuple

from domain.errors import DomainError
from domain.values import EPOCH, check_json, read_json
from rendering.context import NOBODY
from rendering.errors import RenderError

NAMES: Final = ("event", "journey", "trigger", "snippets", "match", "response")
"""What scripts read of the variables of a template, besides `customer`."""
PATIENCE: Final = 20.0
"""Real seconds after which a process that does not answer is given up; its own limits are on processor time."""
MOST_REMEMBERED: Final = 4_096
PROCESSES: Final = 2
TOGETHER: Final = 4.0
"""Seconds of processor time that all jobs of one request may take."""

_CHILD: Final = Path(__file__).with_name("javascript_child.py")
_LIQUID: Final = (("{{", "}}"), ("{%", "%}"))
_ENDED_BY: Final = {
    signal.SIGPROF: "the script takes longer than 1 s",
    signal.SIGXCPU: "the script takes longer than 1 s",
}
_TOO_MUCH: Final = "the script takes more than 64 MB"


class _Undefined:
    """The type of `UNDEFINED`."""

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = _Undefined()
"""What a script returns that returns nothing: its target stays as it is."""


class Job(NamedTuple):
    """One body to run, with the number of the set of variables that it reads besides those common to all."""

    body: str
    number: int


class _Engine:
    """The process, and whose turn it is to speak to it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._received = b""

    def ask(self, request: Mapping[str, Any]) -> list[list[str]]:
        """The answers to a request, one for each job; where the process ends over one, that is the last."""
        with self._lock:
            process = self._running()
            assert process.stdin is not None, "it is asked through a pipe"
            answers: list[list[str]] = []
            try:
                _write_all(process.stdin.fileno(), json.dumps(request, default=_plain).encode() + b"\n")
                while len(answers) < len(request["jobs"]):
                    answers.append(self._answer(process))
            except (OSError, ValueError):
                answers.append(["error", self._end(process)])
            return answers

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._process is not None:
                self._end(self._process)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            # Isolated: neither the environment nor the working directory has a say in what it loads.
            self._process = subprocess.Popen(  # noqa: S603 - our own file, by our own interpreter
                [sys.executable, "-I", str(_CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={"TZ": "UTC", "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        return self._process

    def _answer(self, process: subprocess.Popen[bytes]) -> list[str]:
        """The next line; raises ValueError where there is none."""
        assert process.stdout is not None, "it answers through a pipe"
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(PATIENCE) or not (more := os.read(process.stdout.fileno(), 65_536)):
                    raise ValueError("no answer")
                self._received += more
        line, _, self._received = self._received.partition(b"\n")
        answer: list[str] = json.loads(line)
        return answer

    def _end(self, process: subprocess.Popen[bytes]) -> str:
        """End the process; why it has ended already, or has to now."""
        self._process, self._received = None, b""
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        code = process.poll()
        if code is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        if code is None:
            return "the script takes too long"
        return _ENDED_BY.get(signal.Signals(-code), _TOO_MUCH) if code < 0 else "scripts cannot be run here"


def _plain(value: Any) -> Any:
    """What JSON has no form for: records that are read when they are asked for, and the like."""
    return dict(value) if isinstance(value, Mapping) else str(value)


def _write_all(pipe: int, text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[os.write(pipe, left) :]


class _Engines:
    """The processes; the one that was used last is the next."""

    def __init__(self) -> None:
        self._all = [_Engine() for _ in range(PROCESSES)]
        self._free: LifoQueue[_Engine] = LifoQueue()
        for engine in self._all:
            self._free.put(engine)

    def ask(self, request: Mapping[str, Any]) -> list[list[str]]:
        """The answers of whichever is free first."""
        engine = self._free.get()
        try:
            return engine.ask(request)
        finally:
            self._free.put(engine)

    def close(self) -> None:
        """End the processes."""
        for engine in self._all:
            engine.close()


_ENGINES: Final = _Engines()
atexit.register(_ENGINES.close)
# Threads of their own: whoever waits for a turn takes none from look-ups of hosts and the like.
_THREADS: Final = ThreadPoolExecutor(PROCESSES, "scripts")
_READ: Final[dict[bytes, str | None]] = {}
_READING: Final = Lock()


async def run(
    jobs: Sequence[Job],
    variables: Mapping[str, Any],
    sets: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    seconds: float = TOGETHER,
) -> list[Any]:
    """What these bodies return, UNDEFINED where nothing; raises RenderError where one fails.

    `variables` are a template's, `sets` hold those in which jobs differ; `now` is what the clock says. All of them together
    may take so many `seconds`.
    """
    common = _readable(variables)
    request = {
        "at": int((now - EPOCH).total_seconds() * 1000),
        "seconds": seconds,
        "common": common,
        "sets": [_readable(own) for own in sets],
        "jobs": [list(job) for job in jobs],
    }
    answers = await asyncio.get_running_loop().run_in_executor(_THREADS, _ENGINES.ask, request)
    snippets = list(_texts(common.get("snippets")))
    written = {piece for text in ({job.body for job in jobs} | set(snippets)) for piece in _liquid(text)}
    return [_result(answer, written) for answer in answers]


async def faults_of(bodies: Collection[str]) -> dict[str, str | None]:
    """What is wrong with bodies before they are ever run, None where nothing is."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _learn, bodies)


def _learn(bodies: Collection[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for body in bodies:
        key = hashlib.sha256(body.encode(errors="replace")).digest()
        if key not in _READ:
            # One at a time: should one bring the process down, the others are read by the next.
            jobs = [[body, None]]
            (answer,) = _ENGINES.ask({"at": 0, "seconds": TOGETHER, "common": {}, "sets": [], "jobs": jobs})
            fault = answer[1] if answer[0] == "error" else None
        else:
            fault = _READ.get(key)
        found[body] = fault
        with _READING:
            while len(_READ) >= MOST_REMEMBERED:
                del _READ[next(iter(_READ))]
            _READ[key] = fault
    return found


def _readable(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What scripts see of the variables of a template: where nobody travels there is no `customer`."""
    found = {name: variables[name] for name in NAMES if variables.get(name) is not None}
    if (customer := variables.get("customer")) is not None and customer is not NOBODY:
        found["customer"] = customer
    if "trigger" in found:
        found["triggers"] = found["trigger"]
    if "snippets" in found:
        found["snippets"] = dict(found["snippets"])
    return found


def _result(answer: list[str], written: Collection[str]) -> Any:
    if answer[0] == "error":
        raise RenderError(f"JavaScript: {answer[1]}")
    if answer[0] == "undefined":
        return UNDEFINED
    try:
        value = read_json(answer[1])
        check_json(value)
    except (DomainError, ValueError, RecursionError) as error:
        raise RenderError(f"JavaScript: the result cannot be kept: {error}") from None
    if written and any(piece in written for text in _texts(value) for piece in _liquid(text)):
        raise RenderError("JavaScript: Liquid is not evaluated in scripts")
    return value


def _liquid(text: str) -> Iterator[str]:
    """The pieces of Liquid in a text, in one pass over it."""
    for begin, end in _LIQUID:
        at = text.find(begin)
        while at >= 0 and (until := text.find(end, at + len(begin))) >= 0:
            yield text[at : until + len(end)]
            at = text.find(begin, until + len(end))


def _texts(value: Any) -> list[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _texts(item)]


__all__ = ["TOGETHER", "UNDEFINED", "Job", "faults_of", "run"]
