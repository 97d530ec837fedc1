"""The process in which scripts run (ACT-22): no part of the product is loaded here, and it may be killed at any moment.

A request is one line of JSON on the standard input: `{"at": ms, "seconds": in all, "common": variables, "sets": [variables...],
"jobs": [[body, set]...]}`. One line comes back for each job: `["value", text]`, `["undefined"]`, `["error", sentence]`. A job with the set null
is only read, not run. All jobs of a request share one engine, which is thrown away behind it; a job that takes more than its
time or memory takes the process with it.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from py_mini_racer import JSEvalException, MiniRacer

SECONDS: Final = 1.0
"""Processor time of one job."""
LEAST: Final = 0.001
HEAP: Final = 64 * 1024 * 1024
SLACK: Final = 64 * 1024 * 1024
"""What the engine may take besides, for buffers outside its heap and for itself."""
LARGEST: Final = 100_000
"""Bytes of a result as JSON."""
LONGEST_SENTENCE: Final = 300

NAMES: Final = ("customer", "event", "journey", "trigger", "triggers", "snippets", "match", "response")
"""What a body can read; a name without a value is undefined."""

_PRELUDE: Final = """
((at, names) => {
  const Real = Date, stringify = JSON.stringify, parse = JSON.parse, Body = Function;
  const then = (time) => (time === undefined ? at : time);
  const Fixed = new Proxy(Real, {
    construct: (target, given, made) => Reflect.construct(target, given.length ? given : [at], made),
    apply: () => new Real(at).toString(),
  });
  Real.now = () => at;
  Real.prototype.constructor = Fixed;
  globalThis.Date = Fixed;
  const Format = Intl.DateTimeFormat.prototype;
  const format = Object.getOwnPropertyDescriptor(Format, "format").get, parts = Format.formatToParts;
  Object.defineProperty(Format, "format", {
    configurable: true,
    get() { const bound = format.call(this); return (time) => bound(then(time)); },
  });
  Format.formatToParts = function (time) { return parts.call(this, then(time)); };
  for (const name of ["Temporal", "WebAssembly", "SharedArrayBuffer", "Atomics", "setTimeout", "clearTimeout"]) {
    delete globalThis[name];
  }
  globalThis.__read = (body) => { new Body(...names, body); };
  globalThis.__run = (body, variables) => {
    const given = parse(variables);
    const result = new Body(...names, body)(...names.map((name) => given[name]));
    if (result !== null && typeof result === "object" && typeof result.then === "function") {
      throw new TypeError("a promise is no value");
    }
    if (typeof result === "number" && !Number.isFinite(result)) throw new RangeError("the result is " + result);
    const text = stringify(result);
    return text === undefined ? "" : text;
  };
})
"""


def main() -> None:
    """Answer requests until nobody asks any more."""
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    _confine()
    for line in sys.stdin:
        request = json.loads(line)
        with MiniRacer() as engine:
            engine.set_hard_memory_limit(HEAP)
            engine.eval(f"{_PRELUDE}({json.dumps(request['at'])}, {json.dumps(NAMES)})")
            until = _processor_time() + request["seconds"]
            for body, number in request["jobs"]:
                variables = None if number is None else request["common"] | request["sets"][number]
                left = min(SECONDS, until - _processor_time())
                answer = ["error", f"all scripts together take longer than {request['seconds']:g} s"]
                if left > LEAST:
                    answer = _answer(engine, body, variables, left)
                sys.stdout.write(json.dumps(answer) + "\n")
                sys.stdout.flush()


def _confine() -> None:
    """No cores, no more memory than the engine has by now and one job may take."""
    with MiniRacer() as engine:
        engine.eval("1")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = Path("/proc/self/status")
    if status.exists():
        used = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmData:"))
        most = used * 1024 + HEAP + SLACK
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _answer(engine: MiniRacer, body: str, variables: Any, seconds: float) -> list[str]:
    call = f"__read({json.dumps(body)})"
    if variables is not None:
        call = f"__run({json.dumps(body)}, {json.dumps(json.dumps(variables))})"
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        text = engine.eval(call)
    except JSEvalException as error:
        return ["error", _sentence(str(error))]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if not isinstance(text, str) or not text:
        return ["undefined"]
    if len(text) > LARGEST or len(text.encode(errors="replace")) > LARGEST:
        return ["error", f"the result is larger than {LARGEST} bytes"]
    return ["value", text]


def _sentence(trace: str) -> str:
    """What is wrong, without the lines of code around it."""
    first = trace.partition("\n")[0]
    _, _, told = first.partition(": ")
    return (told or first)[:LONGEST_SENTENCE]


if __name__ == "__main__":
    main()
