"""The registry of workflow blocks: a new block is its own file and one term in `AnyBlock`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, get_args

from pydantic import Field, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import InitErrorDetails, ValidationError

from domain.blocks.base import Block, BranchBlock, DataBlock, DeliveringBlock, Planned, SendingState, StepBlock
from domain.blocks.batch_update import BatchUpdate
from domain.blocks.email import EmailBlock
from domain.blocks.exit import ExitBlock
from domain.blocks.in_app import InAppBlock
from domain.blocks.inbox import InboxBlock
from domain.blocks.line import LineBlock
from domain.blocks.llm import LlmBlock
from domain.blocks.message import MessageBlock
from domain.blocks.multi_split import MultiSplit
from domain.blocks.push import PushBlock
from domain.blocks.query_collection import QueryCollection
from domain.blocks.random_cohort import RandomCohort
from domain.blocks.random_delay import RandomDelay
from domain.blocks.segment_update import SegmentUpdate
from domain.blocks.send_event import SendEvent
from domain.blocks.set_journey_attributes import SetJourneyAttributes
from domain.blocks.slack import SlackBlock
from domain.blocks.sms import SmsBlock
from domain.blocks.target import Target
from domain.blocks.time_delay import TimeDelay
from domain.blocks.time_window import TimeWindow
from domain.blocks.true_false import TrueFalse
from domain.blocks.update_person import UpdatePerson
from domain.blocks.wait_until import WaitUntil, looks_again_at, released_path, wait_keys
from domain.blocks.webhook import WebhookBlock
from domain.blocks.whatsapp import WhatsappBlock
from domain.documents import Refusal, refused

_Union = (
    TimeDelay
    | TimeWindow
    | WaitUntil
    | TrueFalse
    | EmailBlock
    | SmsBlock
    | PushBlock
    | InAppBlock
    | InboxBlock
    | WhatsappBlock
    | LineBlock
    | SlackBlock
    | WebhookBlock
    | UpdatePerson
    | SegmentUpdate
    | SendEvent
    | SetJourneyAttributes
    | BatchUpdate
    | QueryCollection
    | LlmBlock
    | RandomDelay
    | MultiSplit
    | RandomCohort
    | ExitBlock
)

BLOCKS: Final[Mapping[str, type[Block]]] = {block.type_name(): block for block in get_args(_Union)}
"""Every block of this version by the word of its `type`."""


def _read_block(value: Any, _handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Choose the block by its `type`, so that every error points into the block as it was written."""
    if isinstance(value, Block):
        return value
    if not isinstance(value, dict):
        raise refused(Refusal("type", "A block is an object.", (), value))
    if "type" not in value:
        missing = InitErrorDetails(type="missing", loc=("type",), input=value)
        raise ValidationError.from_exception_data("block", [missing])
    chosen = BLOCKS.get(value["type"]) if isinstance(value["type"], str) else None
    if chosen is None:
        known = ", ".join(sorted(BLOCKS))
        raise refused(
            Refusal("enum", f"Not a block type of this version; known are {known}.", ("type",), value["type"])
        )
    return chosen.model_validate(value, context=info.context)


AnyBlock = Annotated[_Union, Field(discriminator="type"), WrapValidator(_read_block)]
"""Any block, told apart by `type`."""

__all__ = [
    "BLOCKS",
    "AnyBlock",
    "BatchUpdate",
    "Block",
    "BranchBlock",
    "DataBlock",
    "DeliveringBlock",
    "EmailBlock",
    "ExitBlock",
    "InAppBlock",
    "InboxBlock",
    "LineBlock",
    "LlmBlock",
    "MessageBlock",
    "MultiSplit",
    "Planned",
    "PushBlock",
    "QueryCollection",
    "RandomCohort",
    "RandomDelay",
    "SegmentUpdate",
    "SendEvent",
    "SendingState",
    "SetJourneyAttributes",
    "SlackBlock",
    "SmsBlock",
    "StepBlock",
    "Target",
    "TimeDelay",
    "TimeWindow",
    "TrueFalse",
    "UpdatePerson",
    "WaitUntil",
    "WebhookBlock",
    "WhatsappBlock",
    "looks_again_at",
    "released_path",
    "wait_keys",
]
