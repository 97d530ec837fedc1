"""`python probe.py URL`: ends with status 0 where the address answers 200, else with 1; the health check of containers."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

LIMIT = 4.0
OK = 200


def problem(url: str) -> str | None:
    """What is wrong with what answers there, none where all is well."""
    place = urlsplit(url)
    if place.scheme != "http" or not place.hostname:
        return f"{url} is no http address."
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=LIMIT)
    try:
        connection.request("GET", place.path or "/")
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error}"
    finally:
        connection.close()
    return None if answer.status == OK else f"{url} answers {answer.status}: {body}"


def main(arguments: Sequence[str]) -> int:
    """Ask once, say what is wrong."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python probe.py URL\n")
        return 2
    found = problem(arguments[0])
    if found is not None:
        sys.stderr.write(found + "\n")
    return int(found is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
