"""A transactional template for each channel, and what became of a send of one."""

from __future__ import annotations

from typing import Any

from tests.support.live import Workspace

RECEIPT = {
    "kind": "transactional",
    "key": "receipt",
    "name": "Receipt",
    "channel": "email",
    "trigger_name": "order_receipt",
    "message": {"subject": "Order {{ trigger.number }}", "body": "<p>{{ trigger.items[0].name }}</p>"},
}
CODES: dict[str, dict[str, Any]] = {
    "push": {"message": "{{ trigger.code }}"},
    "sms": {"body": "{{ trigger.code }}"},
    "whatsapp": {"template": {"name": "code", "variables": {"1": "{{ trigger.code }}"}}},
    "in_app": {"body": "{{ trigger.code }}"},
    "inbox": {"properties": {"code": "{{ trigger.code }}"}},
}
"""A message of each other channel that says a code, by channel; templates of them are called `code-<channel>`."""


def all_templates() -> list[dict[str, Any]]:
    """The documents of all of them."""
    others = [
        {
            "kind": "transactional",
            "key": f"code-{channel}",
            "name": f"Code {channel}",
            "channel": channel,
            "message": said,
        }
        for channel, said in CODES.items()
    ]
    return [RECEIPT, *others]


async def number_of(workspace: Workspace, key: str) -> int:
    """The id of a template."""
    number: int = (await workspace.get(f"/v1/definitions/transactional/{key}"))["status"]["id"]
    return number


async def became(workspace: Workspace, answer: dict[str, Any]) -> dict[str, Any]:
    """The delivery that a call was answered with, as it is now."""
    assert set(answer) <= {"delivery_id", "queued_at", "send_at"}, answer
    assert isinstance(answer["delivery_id"], str)
    assert isinstance(answer["queued_at"], int)
    message: dict[str, Any] = (await workspace.get(f"/v1/messages/{answer['delivery_id']}"))["message"]
    return message


async def captured(workspace: Workspace, answer: dict[str, Any]) -> dict[str, Any]:
    """What the mailbox has of it."""
    found = await workspace.mailbox(limit=100)
    (mail,) = [mail for mail in found if mail["delivery_id"] == answer["delivery_id"]]
    return mail


__all__ = ["CODES", "RECEIPT", "all_templates", "became", "captured", "number_of"]
