"""Made-up calls of every operation we describe: whatever is sent, the answer is one that is described."""

from __future__ import annotations

from typing import Any

from schemathesis import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.deps import Parts
from tests.fuzz.fuzzing import call, described
from tests.fuzz.ground import Ground

PARTS: Any = dict.fromkeys(("db", "notifier", "acceptor", "access", "catalogs", "health"))
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
LEFT_OUT = {
    "createWorkspace": "makes workspaces that nobody removes",
    "putAllowedIps": "shuts out whoever makes the next call",
    "deleteCredential": "takes the credentials of the next calls away",
    "settle": "waits, up to as long as it is asked to",
    "advanceClock": "waits, until everything up to that time has happened",
    "setClock": "the same",
}
OWN = described(create_app(Parts(**PARTS, base_url="http://localhost", version="test")).openapi(), "all")


@OWN.exclude(operation_id=list(LEFT_OUT)).parametrize()
def test_every_answer_is_described(case: Case, ground: Ground):
    ground.lead(case)
    answer = call(case, ground, ground.headers(case))
    case.validate_response(answer, checks=CHECKS)
