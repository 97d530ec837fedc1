"""What a row looks like: columns, keys, constraints and indexes, no behaviour."""

from models.definitions import Definition
from models.deliveries import (
    CapturedMessage,
    Delivery,
    DeliveryAttempt,
    DeliveryContent,
    EndpointAnswers,
    MailboxFault,
    MessageEvent,
)
from models.files import Export, ExportLine, Import, ImportFile, ImportRow
from models.ingest import DedupeKey, DueRow, IngestRow, OutboxRow, RateBucket, RejectedCall, Task
from models.journeys import CohortAssignment, EntryRefusal, EntryRetry, Journey, JourneyStep
from models.objects import CollectionContent, Device, Object, ObjectTypeNumber, Relationship
from models.operations import DataName, DataNameDelta, DataNameNote, MetricDelta, MetricTotal, WorkerProcess
from models.people import (
    Activity,
    AnonymousFact,
    AnonymousId,
    Event,
    Membership,
    MergedPerson,
    Person,
    PersonIdentity,
    Suppression,
)
from models.workspaces import Counter, Credential, LlmUsage, ServiceToken, SigningKey, Workspace

__all__ = [
    "Activity",
    "AnonymousFact",
    "AnonymousId",
    "CapturedMessage",
    "CohortAssignment",
    "CollectionContent",
    "Counter",
    "Credential",
    "DataName",
    "DataNameDelta",
    "DataNameNote",
    "DedupeKey",
    "Definition",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryContent",
    "Device",
    "DueRow",
    "EndpointAnswers",
    "EntryRefusal",
    "EntryRetry",
    "Event",
    "Export",
    "ExportLine",
    "Import",
    "ImportFile",
    "ImportRow",
    "IngestRow",
    "Journey",
    "JourneyStep",
    "LlmUsage",
    "MailboxFault",
    "Membership",
    "MergedPerson",
    "MessageEvent",
    "MetricDelta",
    "MetricTotal",
    "Object",
    "ObjectTypeNumber",
    "OutboxRow",
    "Person",
    "PersonIdentity",
    "RateBucket",
    "RejectedCall",
    "Relationship",
    "ServiceToken",
    "SigningKey",
    "Suppression",
    "Task",
    "WorkerProcess",
    "Workspace",
]
