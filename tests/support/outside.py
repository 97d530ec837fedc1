"""What others do to a running workspace: services that call its campaigns, apps that keep objects, readers who click."""

from __future__ import annotations

from typing import Any

from tests.support.live import Workspace, campaign


async def url_of(workspace: Workspace, key: str) -> str:
    """Where calls of a webhook campaign go."""
    return str((await workspace.get(f"/v1/definitions/campaign/{key}"))["status"]["webhook_url"])


async def post(workspace: Workspace, key: str, payload: Any) -> dict[str, Any]:
    """What another service posts, which knows the URL and nothing else."""
    answer = await workspace.client.post(await url_of(workspace, key), json=payload)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def called(workspace: Workspace, key: str, payload: Any) -> dict[str, Any]:
    """The journey that a call begins, once nothing is left to do."""
    journey_id = (await post(workspace, key, payload))["journey_id"]
    await workspace.settle()
    return await workspace.journey(journey_id)


async def running(workspace: Workspace, key: str, start: str, blocks: dict[str, Any], **fields: Any) -> None:
    """A webhook campaign that takes calls."""
    await workspace.define(campaign(key, {"type": "webhook"}, start, blocks, **fields))
    await workspace.start(key)


async def captured(workspace: Workspace, channel: str) -> list[dict[str, Any]]:
    """What would have left on a channel, oldest first."""
    return [message["rendered"] for message in await workspace.mailbox(channel=channel)]


async def entity(workspace: Workspace, object_id: str, people: dict[str, dict[str, Any]], **attributes: Any) -> None:
    """An object of the first type, with people and what is said of each relationship."""
    related = [{"identifiers": {"id": who}, "relationship_attributes": said} for who, said in people.items()]
    body = {
        "type": "object",
        "action": "identify",
        "identifiers": {"object_type_id": "1", "object_id": object_id},
        "attributes": attributes,
        "cio_relationships": related,
    }
    answer = await workspace.client.post("/api/v2/entity", json=body, headers=workspace.track_auth)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text


async def report(workspace: Workspace, delivery: str, metric: str, **more: Any) -> None:
    """What an app says became of a delivery."""
    body = {"delivery_id": delivery, "metric": metric, **more}
    answer = await workspace.client.post("/api/v1/metrics", json=body)
    assert answer.status_code == 200, answer.text
    await workspace.settle()


__all__ = ["called", "captured", "entity", "post", "report", "running", "url_of"]
