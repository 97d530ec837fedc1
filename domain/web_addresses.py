"""Addresses that are called over HTTP: what can be said of one before anybody calls it (ACT-29)."""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

SCHEMES: Final = ("http", "https")
_LIQUID = re.compile(r"\{\{|\{%")
_HOST = re.compile(r"[^\s/?#@\\<>\"^`{|}%\[\]]+")
_BREAKS = re.compile(r"[\r\n\t]+")
_TRANSLATED: Final = tuple(
    ipaddress.IPv6Network(network) for network in ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96")
)
"""Networks in which the last four bytes of an address are one of IPv4."""
_TRANSLATED_AT_HOME: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
NOT_A_URL: Final = "Give a URL that begins with http:// or https://."
PRIVATE: Final = "The URL leads to a private, loopback or link-local address."


class Fault(NamedTuple):
    """What is wrong with an address: `url_invalid` or `private_address`, and a sentence."""

    code: str
    message: str


class Called(NamedTuple):
    """An address as it is called: without user and password, which are told apart (ACT-29)."""

    url: str
    userinfo: str | None


def fault_of(template: str) -> Fault | None:
    """What is wrong with an address, as far as its template says it without any data; None where nothing is."""
    found = _LIQUID.search(template)
    if found is None:
        return _fault(template.strip())
    static = template[: found.start()].lstrip()
    begun = static.lower()
    if not any(f"{scheme}://".startswith(begun) or begun.startswith(f"{scheme}://") for scheme in SCHEMES):
        return Fault("url_invalid", NOT_A_URL)
    rest = static.partition("://")[2]
    end = re.search(r"[/?#]", rest)
    # Where the host is not written out, nothing can be said of it.
    return _fault(static) if end is not None else None


def fault_of_rendered(url: str) -> Fault | None:
    """What is wrong with an address as it is called, whatever braces the data has brought into it."""
    return _fault(url)


def split_userinfo(url: str) -> Called:
    """The address without what stands before its host, and that decoded as `user:password`; a key alone is a user."""
    netloc = urlsplit(url).netloc
    before, at, _ = netloc.rpartition("@")
    if not at:
        return Called(url, None)
    user, _, password = before.partition(":")
    return Called(url.replace(f"{before}@", "", 1), f"{unquote(user)}:{unquote(password)}")


def basic_authorization(userinfo: str) -> str:
    """The header that says the same as what stood before the host."""
    return f"Basic {base64.b64encode(userinfo.encode()).decode()}"


def tidied(url: str) -> str:
    """A rendered address without the line breaks and spaces that templates leave behind."""
    return _BREAKS.sub("", url).strip()


def host_of(url: str) -> str:
    """The host of an address in lower case, with its port where it names one."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it stands inside of another."""
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.is_site_local or found in _TRANSLATED_AT_HOME:
            return False
        inner = any(found in network for network in _TRANSLATED)
        found = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF) if inner else found.sixtofour or found
    return found.is_global and not found.is_multicast


def _fault(url: str) -> Fault | None:
    parts = _parsed(url)
    if parts is None or parts.scheme not in SCHEMES or not parts.hostname:
        return Fault("url_invalid", NOT_A_URL)
    host = parts.hostname
    if host == "localhost" or host.endswith(".localhost"):
        return Fault("private_address", PRIVATE)
    try:
        public = is_public(host.partition("%")[0])
    except ValueError:
        return None if _HOST.fullmatch(host) else Fault("url_invalid", "The host of the URL is none.")
    return None if public else Fault("private_address", PRIVATE)


def _parsed(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        # Asking is what checks the port.
        port = parts.port
    except ValueError:
        return None
    return parts if port != 0 else None


__all__ = [
    "Called",
    "Fault",
    "basic_authorization",
    "fault_of",
    "fault_of_rendered",
    "host_of",
    "is_public",
    "split_userinfo",
    "tidied",
]
