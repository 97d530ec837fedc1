"""What people looked at and sent, as conditions, by whichever API it was told (PPL-35)."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from stack.description import StackDescription
from tests.support.live import Workspace, campaign, email, on_match
from tests.support.moments import segment, segments, subjects

SHOP = "https://shop.example.com/product/42?color=red"


async def version_one(workspace: Workspace, kind: str, name: str, **data: Any) -> None:
    """Track v1."""
    await workspace.track("7", name, data, type=kind)


async def version_two(workspace: Workspace, kind: str, name: str, **data: Any) -> None:
    """Track v2."""
    body = {"type": "person", "action": kind, "identifiers": {"id": "7"}, "name": name, "attributes": data}
    answer = await workspace.client.post("/api/v2/entity", json=body, headers=workspace.track_auth)
    assert answer.status_code == 200, answer.text


class Pipelines:
    """A source of the workspace, made for the test."""

    def __init__(self, stack: StackDescription, http: httpx.AsyncClient) -> None:
        self._stack = stack
        self._http = http

    async def __call__(self, workspace: Workspace, kind: str, name: str, **data: Any) -> None:
        """Tell of a view."""
        path, admin = (
            f"/v1/workspaces/{workspace.id}/credentials",
            {"Authorization": f"Bearer {self._stack.admin_token}"},
        )
        made = await self._http.post(path, json={"kind": "pipelines", "name": "Web"}, headers=admin)
        key = base64.b64encode(f"{made.json()['write_key']}:".encode()).decode()
        said = {"url": name, **data} if kind == "page" else data
        body = {"userId": "7", "name": "Home" if kind == "page" else name, "properties": said}
        answer = await self._http.post(f"/v1/{kind}", json=body, headers={"Authorization": f"Basic {key}"})
        assert answer.status_code == 200, answer.text


@pytest.fixture(params=["track v1", "track v2", "pipelines"])
def tell(request: pytest.FixtureRequest, stack: StackDescription, http: httpx.AsyncClient) -> Any:
    """How a view is told."""
    return {"track v1": version_one, "track v2": version_two, "pipelines": Pipelines(stack, http)}[request.param]


async def test_a_page_is_named_by_a_pattern_of_its_address(sandbox: Workspace, tell: Any) -> None:
    pattern = "https://shop.example.com/product/*"
    twice = {"page": pattern, "times": {"at_least": 2}}
    await sandbox.define(
        segment("seen", {"performed": {"page": pattern}}),
        segment("lately", {"performed": {"page": "*/PRODUCT/*", "within": "P7D"}}),
        segment("tagged", {"performed": {"page": pattern, "where": {"field": "section", "value": "shoes"}}}),
        segment("twice", {"performed": twice}),
        segment("cart", {"performed": {"page": "https://shop.example.com/cart*"}}),
        segment("event", {"performed": {"event": pattern}}),
        segment("unseen", {"performed": {"page": pattern, "inverse": True}}),
        campaign("lookers", on_match({"segment": "seen"}), "mail", {"mail": email("Looked")}),
    )
    await sandbox.start("lookers")
    await sandbox.identify("7", email="ann@example.com")
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"unseen"}
    await tell(sandbox, "page", SHOP, section="shoes")
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"seen", "lately", "tagged"}
    await tell(sandbox, "page", SHOP)
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"seen", "lately", "tagged", "twice"}
    await sandbox.advance("P8D")
    assert await segments(sandbox, "7") == {"seen", "tagged", "twice"}
    assert await subjects(sandbox) == ["Looked"]


async def test_a_screen_is_named_by_its_name(sandbox: Workspace, tell: Any) -> None:
    await sandbox.define(
        segment("seen", {"performed": {"screen": "checkout"}}),
        segment(
            "dear", {"performed": {"screen": "Check*", "where": {"field": "total", "operator": "gt", "value": 20}}}
        ),
        segment(
            "cheap", {"performed": {"screen": "Checkout", "where": {"field": "total", "operator": "lt", "value": 20}}}
        ),
        segment("page", {"performed": {"page": "checkout"}}),
    )
    await sandbox.identify("7", email="ann@example.com")
    await tell(sandbox, "screen", "Checkout", total=25)
    await sandbox.settle()
    assert await segments(sandbox, "7") == {"seen", "dear"}


async def test_a_form_is_named_by_its_name_and_window(sandbox: Workspace) -> None:
    form = {
        "kind": "form",
        "key": "ask-us",
        "name": "Ask us",
        "form_id": "f1",
        "fields": {"mail": {"identifier": "email"}, "topic": {"attribute": "topic"}},
    }
    asked = {"performed": {"form": "Ask us", "where": {"field": "topic", "value": "price"}}}
    await sandbox.define(
        form,
        segment("asked", asked),
        segment("lately", {"performed": {"form": "ask*", "within": "P7D"}}),
        segment("contact", {"performed": {"form": "Contact"}}),
        campaign("askers", on_match({"segment": "asked"}), "mail", {"mail": email("About {{ customer.topic }}")}),
    )
    await sandbox.start("askers")
    data = {"mail": "ann@example.com", "topic": "price"}
    answer = await sandbox.client.post("/api/v1/forms/f1/submit", json={"data": data}, headers=sandbox.track_auth)
    assert answer.status_code == 204, answer.text
    await sandbox.settle()

    async def inside() -> set[str]:
        found = await sandbox.get("/v1/customers/ann@example.com/segments", id_type="email")
        return {one["key"] for one in found["segments"]}

    assert await inside() == {"asked", "lately"}
    assert await subjects(sandbox) == ["About price"]
    await sandbox.advance("P8D")
    assert await inside() == {"asked"}
