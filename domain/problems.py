"""Everything wrong with an input at once: the codes of refusals, and pydantic's errors as problems at exact JSON Pointers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.errors import Problem

_BY_STATUS: Final[Mapping[int, str]] = {
    422: """required unknown_field type enum format range length duplicate unknown_reference immutable not_applicable
        too_complex root_not_allowed operator_not_allowed or_not_allowed since_not_allowed mode_not_allowed
        no_positive_condition nested_segment internal_attribute object_type_disabled frequency_not_allowed
        filters_not_allowed goal_required audience_not_applicable legacy_not_creatable stop_before_start in_the_past
        empty_workflow unknown_block unreachable_block cycle path_overlap exit_not_in_path block_not_allowed
        percent_total mixed_data_types duplicate_timer_path event_time_not_allowed target_required segment_not_manual
        liquid_syntax liquid_root javascript_syntax reserved_header ab_with_languages url_invalid private_address
        channel_disabled sender_not_verified send_rate_too_slow timezone_send_conflict""",
    412: "revision_conflict",
    409: "in_use locked invalid_state last_credential not_sandbox clock_in_use clock_busy",
    504: "not_settled",
    403: "forbidden_scope forbidden_address",
}

STATUS_OF: Final[Mapping[str, int]] = {
    code: status for status, codes in _BY_STATUS.items() for code in codes.split()
} | {"invalid_json": 400, "invalid_yaml": 400, "invalid_parameter": 400, "unauthorized": 401, "not_found": 404}
"""The HTTP status of every refusal of the management API; each code is stable and means one thing."""

WARNING_CODES: Final = frozenset({"nothing_sends"})
"""Codes that only ever warn; a warning may carry any other code, too, and refuses nothing."""

_CODE_OF: Final[Mapping[str, str]] = {
    "missing": "required",
    "union_tag_not_found": "required",
    "extra_forbidden": "unknown_field",
    "enum": "enum",
    "literal_error": "enum",
    "union_tag_invalid": "enum",
    "greater_than": "range",
    "greater_than_equal": "range",
    "less_than": "range",
    "less_than_equal": "range",
    "multiple_of": "range",
    "finite_number": "range",
    "int_parsing_size": "range",
    "string_too_short": "length",
    "string_too_long": "length",
    "too_short": "length",
    "too_long": "length",
    "string_pattern_mismatch": "format",
    "value_error": "format",
}
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field here.",
    "string_type": "Give a text.",
    "int_type": "Give a whole number.",
    "int_from_float": "Give a whole number.",
    "float_type": "Give a number.",
    "bool_type": "Give true or false.",
    "list_type": "Give a list.",
    "tuple_type": "Give a list.",
    "dict_type": "Give an object.",
    "mapping_type": "Give an object.",
    "model_type": "Give an object.",
    "model_attributes_type": "Give an object.",
}
_COUNTED: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than": ("gt", "The number must be greater than {}."),
    "greater_than_equal": ("ge", "The number must be {} or more."),
    "less_than": ("lt", "The number must be less than {}."),
    "less_than_equal": ("le", "The number must be {} or less."),
    "string_too_short": ("min_length", "At least {} characters are needed."),
    "string_too_long": ("max_length", "At most {} characters are allowed."),
    "too_short": ("min_length", "At least {} are needed."),
    "too_long": ("max_length", "At most {} are allowed."),
    "string_pattern_mismatch": ("pattern", "The text must match {}."),
    "literal_error": ("expected", "Write one of {}."),
}


def escape(segment: str | int) -> str:
    """One segment of a JSON Pointer (RFC 6901)."""
    return str(segment).replace("~", "~0").replace("/", "~1")


def pointer_of(segments: Sequence[str | int], base: str = "") -> str:
    """The JSON Pointer of a path below `base`."""
    return "".join([base, *(f"/{escape(segment)}" for segment in segments)])


def split_pointer(pointer: str) -> list[str]:
    """The unescaped segments of a JSON Pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def below(problems: Sequence[Problem], base: str) -> list[Problem]:
    """The same problems, found in a part that stands at `base`."""
    return [problem.model_copy(update={"pointer": base + problem.pointer}) for problem in problems]


def from_validation_error(error: ValidationError, raw: Any, base_pointer: str = "") -> list[Problem]:
    """What pydantic found wrong with `raw`, which stands at `base_pointer`: our codes, in document order, each thing once."""
    found: dict[tuple[str, str], Problem] = {}
    for detail in error.errors(include_url=False):
        code = _code(detail["type"])
        pointer = pointer_of(_path(raw, detail["loc"], missing=code == "required"), base_pointer)
        found.setdefault((pointer, code), Problem(code=code, pointer=pointer, message=_sentence(detail)))
    return list(found.values())


def _code(kind: str) -> str:
    if kind in STATUS_OF:
        return kind
    return _CODE_OF.get(kind, "type")


def _path(raw: Any, location: Sequence[str | int], *, missing: bool) -> list[str | int]:
    """The way into `raw`: what pydantic adds of its own, such as the branch of a union, names nothing in it."""
    path: list[str | int] = []
    here = raw
    for index, step in enumerate(location):
        is_last = index == len(location) - 1
        if _holds(here, step):
            path.append(step)
            here = here[step]
        elif is_last and missing and isinstance(here, dict):
            path.append(step)
    return path


def _holds(place: Any, step: str | int) -> bool:
    if isinstance(place, dict):
        return step in place
    return isinstance(place, list) and isinstance(step, int) and step < len(place)


def _sentence(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    counted = _COUNTED.get(kind)
    if counted is not None and counted[0] in detail.get("ctx", {}):
        return counted[1].format(detail["ctx"][counted[0]])
    message = detail["msg"]
    return message if message.endswith((".", "!", "?")) else f"{message}."


__all__ = [
    "STATUS_OF",
    "WARNING_CODES",
    "below",
    "escape",
    "from_validation_error",
    "pointer_of",
    "split_pointer",
]
