"""Device calls: a push token of a person, with what official clients send in their own ways (API-08, PPL-19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.operations import AddDevice, DeleteDevice, Identifier
from domain.track.calls import Call, CallRefused, Fault, Rules, refuse_if
from domain.track.limits import TOKEN_BYTES, attribute_faults, moment, required_text

PLATFORMS: Final = ("ios", "android")
READ_ONLY: Final = "_last_status"
"""What we say of a device and nobody else; clients may send back what they have read."""
_KNOWN: Final = frozenset({"platform", "last_used", "attributes"})


def add_device(subject: Identifier, body: Any, rules: Rules, *, under: str = "id") -> Call:
    """The operation of `PUT /customers/{identifier}/devices` and of v2 `add_device`; the token stands `under` a key.

    Keys of the device that mean nothing here are attributes of it. Raises CallRefused.
    """
    device = _device(body)
    faults: list[Fault] = []
    token = _token(device.get(under), under, faults)
    platform = device.get("platform")
    platform = platform.strip().lower() if isinstance(platform, str) else platform
    if platform is None or platform == "":
        faults.append(Fault("required", "device.platform", "device platform must be present"))
    elif platform not in PLATFORMS:
        faults.append(Fault("invalid", "device.platform", "device platform must be ios or android"))
    last_used = moment(device.get("last_used"), "device.last_used", faults)
    attributes = {name: value for name, value in device.items() if name not in _KNOWN and name != under}
    said = device.get("attributes")
    if isinstance(said, Mapping):
        attributes |= said
    elif said is not None:
        faults.append(Fault("invalid", "device.attributes", "device attributes must be a hash"))
    attributes.pop(READ_ONLY, None)
    faults += attribute_faults(attributes, rules, field="device.attributes")
    refuse_if(faults)
    return Call(
        (AddDevice(subject=subject, token=token, platform=platform, last_used=last_used, attributes=attributes),)
    )


def delete_device(subject: Identifier, token: Any, field: str = "id") -> Call:
    """The operation of `DELETE /customers/{identifier}/devices/{token}` and of v2 `delete_device`; raises CallRefused."""
    faults: list[Fault] = []
    text = _token(token, field, faults)
    refuse_if(faults)
    return Call((DeleteDevice(subject=subject, token=text),))


def token_of(body: Any) -> Any:
    """The token in the `device` of a v2 call; raises CallRefused where there is no device."""
    return _device(body).get("token")


def _device(body: Any) -> Mapping[str, Any]:
    device = body.get("device") if isinstance(body, Mapping) else None
    if device is None:
        raise CallRefused([Fault("required", "device", "device must be present")])
    if not isinstance(device, Mapping):
        raise CallRefused([Fault("invalid", "device", "device must be a hash")])
    return device


def _token(value: Any, field: str, faults: list[Fault]) -> str:
    return required_text(value, f"device.{field}", f"device {field}", faults, TOKEN_BYTES)


__all__ = ["PLATFORMS", "add_device", "delete_device", "token_of"]
