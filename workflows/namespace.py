"""The namespace and the search attributes that a Temporal cluster needs for Sojourn: made once, corrected at every set-up."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

RPC_LIMIT = timedelta(seconds=5)
REACH_LIMIT = 20.0
VISIBLE_LIMIT = 30.0
PAUSE = 0.5
POLL = 0.03

SEARCH_ATTRIBUTES: Final = {
    "workspace": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "campaign": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "person": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "outcome": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
}


class NotPrepared(Exception):
    """Why a cluster could not be prepared, in words for the operator."""


async def prepare(address: str, namespace: str, retention: timedelta) -> None:
    """Make or correct the namespace and its search attributes, on our server or an existing cluster, any number of times.

    Raises `NotPrepared` where the cluster does not allow it or a name is taken by another type.
    """
    client = await _reached(address, namespace)
    try:
        await _ensure_namespace(client, retention)
        await _ensure_search_attributes(client)
        async with asyncio.timeout(VISIBLE_LIMIT):
            while not await _searchable(client):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(POLL)
    except RPCError as error:
        raise NotPrepared(f"Temporal at {address} could not be set up: {error}.") from error
    except TimeoutError:
        raise NotPrepared(f"Temporal at {address} did not take up the namespace within {VISIBLE_LIMIT} s.") from None


async def _reached(address: str, namespace: str) -> Client:
    """The cluster, which may have been started a moment ago: it takes connections before it serves."""
    complaint: Exception | None = None
    try:
        async with asyncio.timeout(REACH_LIMIT):
            while True:
                try:
                    client = await Client.connect(address, namespace=namespace)
                    if await client.service_client.check_health(timeout=RPC_LIMIT):
                        return client
                except (RPCError, RuntimeError) as error:
                    complaint = error
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise NotPrepared(f"nothing serves at {address} after {REACH_LIMIT:.0f} s.") from complaint


async def _ensure_namespace(client: Client, retention: timedelta) -> None:
    service, name = client.workflow_service, client.namespace
    wanted = Duration()
    wanted.FromTimedelta(retention)
    try:
        found = await service.describe_namespace(
            DescribeNamespaceRequest(namespace=name), timeout=RPC_LIMIT, retry=True
        )
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=wanted)
        try:
            await service.register_namespace(request, timeout=RPC_LIMIT, retry=True)
        except RPCError as refused:
            if refused.status != RPCStatusCode.ALREADY_EXISTS:  # two set-ups at once want the same
                raise
        return
    if found.config.workflow_execution_retention_ttl.ToTimedelta() != retention:
        config = NamespaceConfig(workflow_execution_retention_ttl=wanted)
        # A cluster takes few such calls a second and refuses the others for a moment.
        change = UpdateNamespaceRequest(namespace=name, config=config)
        await service.update_namespace(change, timeout=RPC_LIMIT, retry=True)


async def _search_attributes(client: Client) -> dict[str, IndexedValueType.ValueType]:
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=RPC_LIMIT, retry=True
    )
    return dict(listed.custom_attributes)


async def _ensure_search_attributes(client: Client) -> None:
    async with asyncio.timeout(VISIBLE_LIMIT):
        while True:
            try:
                found = await _search_attributes(client)
                break
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(POLL)  # a namespace just registered is known everywhere a moment later
    wrong = [name for name, kind in SEARCH_ATTRIBUTES.items() if found.get(name, kind) != kind]
    if wrong:
        raise NotPrepared(f"Namespace {client.namespace} has search attributes of another type: {', '.join(wrong)}.")
    missing = {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in found}
    if missing:
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        with contextlib.suppress(RPCError):  # two starts at once: the check that follows decides
            await client.operator_service.add_search_attributes(request, timeout=RPC_LIMIT)


async def _searchable(client: Client) -> bool:
    """Whether a question that names our attributes is understood, which is when workflows may be started with them."""
    if not SEARCH_ATTRIBUTES.keys() <= (await _search_attributes(client)).keys():
        return False
    try:
        await client.count_workflows(
            " AND ".join(f"{name} IS NULL" for name in SEARCH_ATTRIBUTES), rpc_timeout=RPC_LIMIT
        )
    except RPCError as error:
        if error.status in (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.NOT_FOUND):
            return False
        raise
    return True
