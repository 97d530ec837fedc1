"""What is kept of the audience that a call names, once it is frozen or not wanted any more (CHN-19, CHN-20).

The frozen audience is rows, which go with the people they are about; what the call said would outlive these, and would be read
with every page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

NAMES: Final = ("ids", "emails", "per_user_data")
"""The fields that name people."""
FILE: Final = "data_file_url"
"""The field that names a file."""


def forgotten(audience: Mapping[str, Any]) -> dict[str, Any]:
    """The same without whom it names, and without the password of its file."""
    kept = {field: None if field in NAMES else value for field, value in audience.items()}
    url = kept.get(FILE)
    if isinstance(url, str):
        parts = urlsplit(url)
        kept[FILE] = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return kept


__all__ = ["FILE", "NAMES", "forgotten"]
