"""What a row looks like: columns, keys, constraints and indexes, no behaviour."""

from models.definitions import Definition
from models.deliveries import CapturedMessage, Delivery, DeliveryAttempt, DeliveryContent, MailboxFault
from models.ingest import DedupeKey, DueRow, IngestRow, OutboxRow, Task
from models.journeys import Journey, JourneyStep
from models.operations import MetricDelta, MetricTotal, WorkerProcess
from models.people import Activity, Event, Membership, Person, PersonIdentity
from models.workspaces import Counter, Credential, ServiceToken, Workspace

__all__ = [
    "Activity",
    "CapturedMessage",
    "Counter",
    "Credential",
    "DedupeKey",
    "Definition",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryContent",
    "DueRow",
    "Event",
    "IngestRow",
    "Journey",
    "JourneyStep",
    "MailboxFault",
    "Membership",
    "MetricDelta",
    "MetricTotal",
    "OutboxRow",
    "Person",
    "PersonIdentity",
    "ServiceToken",
    "Task",
    "WorkerProcess",
    "Workspace",
]
