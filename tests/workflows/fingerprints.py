"""What the workflow code asks of Temporal, way by way, and the names and shapes that stand in histories."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.common import SearchAttributeKey
from temporalio.workflow import _Definition

from activities.broadcasts import BroadcastActivities
from activities.journeys import JourneyActivities
from activities.messages import MessageActivities
from activities.sends import SendActivities
from activities.tasks import TaskActivities
from workflows import names
from workflows.runtime import WORKFLOWS

FILE = Path(__file__).with_name("fingerprints.json")
GUIDE = "docs/versioning-workflows.md"
AGAIN = "`make fingerprints` writes tests/workflows/fingerprints.json anew"
ACTIVITIES = (BroadcastActivities, JourneyActivities, MessageActivities, SendActivities, TaskActivities)
LONGEST_REPEAT = 3
WAITING = {"timer", "cancel timer", "local activity advance"}
"""How often a wait is looked at is a matter of timing."""

Names = dict[str, Any]


def commands(history: WorkflowHistory) -> list[str]:
    """What the code asked for, in order. What repeats at once stands there once."""
    found = [command for event in history.events if (command := _command(event)) is not None]
    return _collapsed(found)


def _command(event: Any) -> str | None:
    """The command that an event answers, with the names that have to be the same when it is replayed."""
    kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
    match kind:
        case "MARKER_RECORDED":
            return _marker(event.marker_recorded_event_attributes)
        case "ACTIVITY_TASK_SCHEDULED":
            scheduled = event.activity_task_scheduled_event_attributes
            return f"activity {scheduled.activity_type.name} on {scheduled.task_queue.name}"
        case "TIMER_STARTED":
            return "timer"
        case "TIMER_CANCELED":
            return "cancel timer"
        case "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES":
            upserted = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
            return f"upsert {', '.join(sorted(upserted))}"
        case "WORKFLOW_EXECUTION_COMPLETED":
            return "complete"
        case "WORKFLOW_EXECUTION_CONTINUED_AS_NEW":
            return "continue as new"
    if kind in _GIVEN or kind.startswith("WORKFLOW_TASK_"):
        return None
    return kind.lower().replace("_", " ")


_GIVEN = {
    "WORKFLOW_EXECUTION_STARTED",
    "WORKFLOW_EXECUTION_SIGNALED",
    "WORKFLOW_EXECUTION_TERMINATED",
    "ACTIVITY_TASK_STARTED",
    "ACTIVITY_TASK_COMPLETED",
    "ACTIVITY_TASK_FAILED",
    "ACTIVITY_TASK_TIMED_OUT",
    "TIMER_FIRED",
}
"""Events that answer no command of the code."""


def _marker(marker: Any) -> str:
    details = {
        name: json.loads(payloads.payloads[0].data) for name, payloads in marker.details.items() if name != "result"
    }
    if marker.marker_name == "core_local_activity":
        return f"local activity {details['data']['activity_type']}"
    if marker.marker_name == "core_patch":
        return f"patch {details['patch-data']['id']}"
    return f"marker {marker.marker_name}"


def _collapsed(found: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for command in found:
        kept.append(command)
        for length in range(1, LONGEST_REPEAT + 1):
            last = kept[-length:]
            again = len(kept) >= 2 * length and last == kept[-2 * length : -length]
            if again and (length == 1 or WAITING.issuperset(last)):
                del kept[-length:]
                break
    return kept


def standing() -> Names:
    """The names and shapes of now: what `workflows/names.py` holds, workflows, activities, their inputs and results."""
    shapes: dict[str, Any] = {}
    activities = {}
    for holder in ACTIVITIES:
        for _, method in inspect.getmembers(holder, inspect.isfunction):
            definition = getattr(method, "__temporal_activity_definition", None)
            if definition is not None:
                activities[definition.name] = _signature(method, shapes)
    workflows = {}
    for code in WORKFLOWS:
        definition = _Definition.must_from_class(code)
        handlers = {
            "signals": sorted(map(str, definition.signals)),
            "queries": sorted(map(str, definition.queries)),
            "updates": sorted(map(str, definition.updates)),
        }
        for name, signal in definition.signals.items():
            handlers[f"signal {name}"] = list(inspect.signature(signal.fn).parameters)[1:]
        workflows[str(definition.name)] = {**_signature(definition.run_fn, shapes), **handlers}
    return {
        "constants": {
            name: _constant(value)
            for name, value in sorted(vars(names).items())
            if name.isupper() and not isinstance(value, int)
        },
        "workflows": dict(sorted(workflows.items())),
        "activities": dict(sorted(activities.items())),
        "shapes": dict(sorted(shapes.items())),
    }


def _constant(value: Any) -> Any:
    return f"{value.name}: {value.indexed_value_type.name}" if isinstance(value, SearchAttributeKey) else value


def _signature(function: Any, shapes: dict[str, Any]) -> dict[str, Any]:
    """What a workflow or activity takes and answers, by the names of the types, whose fields go to `shapes`."""
    hints = get_type_hints(function)
    answers = hints.pop("return")
    for kind in (*hints.values(), answers):
        _add(kind, shapes)
    return {"takes": [_name(kind) for kind in hints.values()], "answers": _name(answers)}


def _name(kind: Any) -> str:
    return "nothing" if kind is type(None) else getattr(kind, "__name__", str(kind))


def _add(kind: Any, shapes: dict[str, Any]) -> None:
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return
    schema = kind.model_json_schema()
    for name, shape in {**schema.get("$defs", {}), kind.__name__: schema}.items():
        required = set(shape.get("required", ()))
        shapes[name] = {
            field: {**_plain(about), "required": field in required}
            for field, about in sorted(shape.get("properties", {}).items())
        }


def _plain(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in ("title", "description")}


def changed_names(known: Names, now: Names) -> list[str]:
    """What differs between the committed names and shapes and those of now, each with whether it is a danger."""
    told = []
    for name, value in known["constants"].items():
        if now["constants"].get(name) != value:
            told.append(
                f"DANGER: {name} was {value!r} and is {now['constants'].get(name)!r}. It stands in the histories and "
                f"queues of journeys under way: bring it back. No patch can cover it."
            )
    told += [f"harmless: {name} is a new name." for name in now["constants"].keys() - known["constants"].keys()]
    for kind in ("workflows", "activities"):
        told += _changed_callables(kind, known[kind], now[kind])
    for shape, fields in known["shapes"].items():
        told += _changed_fields(shape, fields, now["shapes"].get(shape))
    told += [f"harmless: {name} is a new type." for name in now["shapes"].keys() - known["shapes"].keys()]
    return told


def _changed_callables(kind: str, known: Names, now: Names) -> list[str]:
    what = {"workflows": "workflow", "activities": "activity"}[kind]
    told = []
    for name, about in known.items():
        if name not in now:
            told.append(
                f"DANGER: there is no {what} {name} any more. Histories ask for it by this name: bring it back."
            )
            continue
        for part, value in about.items():
            is_now = now[name].get(part)
            if is_now == value:
                continue
            if (
                isinstance(value, list)
                and isinstance(is_now, list)
                and is_now[: len(value)] == value
                and "signal " not in part
            ):
                told.append(f"harmless: {what} {name}: {part} gained {', '.join(is_now[len(value) :])}.")
            else:
                told.append(
                    f"DANGER: {what} {name}: {part} was {value!r} and is {is_now!r}. Histories hold payloads and signals "
                    f"of before: bring it back, and add beside it what is new."
                )
    return told + [f"harmless: {name} is a new {what}." for name in now.keys() - known.keys()]


def _changed_fields(shape: str, known: Names, now: Names | None) -> list[str]:
    if now is None:
        return [
            f"DANGER: there is no type {shape} any more, or it is called otherwise and nobody takes it. Bring it back."
        ]
    told = []
    for field, about in known.items():
        if field not in now:
            told.append(
                f"DANGER: {shape}.{field} was removed or renamed. Payloads of before still hold it and lack the other "
                f"name: bring it back, with a default if it is to be forgotten."
            )
        elif now[field] != about:
            differs = {part: (about.get(part), now[field].get(part)) for part in about.keys() | now[field].keys()}
            words = ", ".join(f"{part} was {a!r} and is {b!r}" for part, (a, b) in sorted(differs.items()) if a != b)
            told.append(f"DANGER: {shape}.{field}: {words}. Payloads of before were written under the old rule.")
    for field in now.keys() - known.keys():
        if now[field]["required"]:
            told.append(f"DANGER: {shape}.{field} is new and required. Payloads of before lack it: give it a default.")
        else:
            told.append(f"harmless: {shape}.{field} is new and has a default.")
    return told


def changed_way(way: str, known: Sequence[str], now: Sequence[str]) -> str | None:
    """What differs in a way, in words; None where it is the same."""
    if list(known) == list(now):
        return None
    at = next((n for n, (a, b) in enumerate(zip(known, now, strict=False)) if a != b), min(len(known), len(now)))
    behind = f"behind `{known[at - 1]}`" if at else "at the beginning"
    was = f"`{known[at]}`" if at < len(known) else "nothing more"
    is_now = f"`{now[at]}`" if at < len(now) else "nothing more"
    lines = [f"{way}: {behind} the code asked for {was} and asks for {is_now} now."]
    if any(command.startswith("patch ") for command in now[: at + 1]):
        lines.append(
            f"It is under `{next(c for c in now if c.startswith('patch '))}`, so journeys under way keep to the old way. "
            f"Record the new way (SOJOURN_RECORD_HISTORIES=1), then {AGAIN}."
        )
    else:
        lines.append(
            "DANGER: journeys under way have the old order in their histories and will stand still with a "
            f"nondeterminism error. Put the change under `patched()`: {GUIDE}, 'The life of a patch'. Only if the replay "
            f"tests are green and no journey can be in this place: {AGAIN}."
        )
    return "\n".join([*lines, f"was: {' > '.join(known)}", f"now: {' > '.join(now)}"])


def load() -> dict[str, Any]:
    """The committed fingerprints."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def save(parts: Mapping[str, Any]) -> None:
    """Write parts of the committed file anew."""
    known = load() if FILE.exists() else {}
    FILE.write_text(json.dumps({**known, **parts}, indent=1, sort_keys=False) + "\n")


def told(lines: Iterable[str]) -> str:
    """Differences as the message of a failed test."""
    return "\n\n".join(["The workflow code is not what its fingerprint says.", *lines])
