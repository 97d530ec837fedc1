"""Workflows in the SDK's sandbox: they load, and what is shared is loaded once."""

from __future__ import annotations

import sys

import pytest
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import _Definition

from workflows.runtime import WORKFLOWS, workflow_runner

ONCE = ("domain", "activities", "services", "ingest", "store", "models", "pydantic", "asyncpg", "observability")


@pytest.mark.parametrize("workflow", WORKFLOWS)
async def test_nothing_shared_is_executed_again_for_a_workflow(workflow: type):
    instances = []

    class Watching(SandboxedWorkflowRunner):
        def create_instance(self, det):
            instances.append(super().create_instance(det))
            return instances[-1]

    Watching(restrictions=workflow_runner().restrictions).prepare_workflow(_Definition.must_from_class(workflow))
    loaded = instances[0].importer.new_modules
    again = {name for name, module in loaded.items() if module is not sys.modules.get(name)}
    assert {name for name in again if name.split(".")[0] in ONCE} == set()
    assert {name for name in again if name.split(".")[0] == "workflows"} == {"workflows", workflow.__module__}
