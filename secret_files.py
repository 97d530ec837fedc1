"""Secrets that stand in files: a variable `<NAME>_FILE` names one, whose content then counts as `<NAME>`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

SUFFIX = "_FILE"
LARGEST = 64 * 1024


class SecretFileError(Exception):
    """What is wrong with a variable that names a file, in words for the operator; never what the file holds."""


def with_files(environment: Mapping[str, str], names: Collection[str], prefix: str | None = None) -> dict[str, str]:
    """The environment in which every named file is replaced by what it holds.

    Files may be given for `names` and for whatever begins with `prefix`. An empty variable counts as not set.
    """
    found = dict(environment)
    for variable, path in environment.items():
        name = variable.removesuffix(SUFFIX)
        named = prefix is not None and name.startswith(prefix) and name != prefix
        if name == variable or not (named or name in names):
            continue
        del found[variable]
        if not path:
            continue
        if environment.get(name):
            raise SecretFileError(f"{name} and {variable} are both set: give the secret in one of them.")
        found[name] = _content(variable, Path(path))
    return found


def in_folder(folder: Path, variable: str) -> dict[str, str]:
    """What each file of a folder holds, by the file's name; hidden ones and folders are left aside."""
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except OSError as error:
        raise SecretFileError(f"{variable} names {folder}, which cannot be read: {error.strerror}.") from None
    return {path.name: _content(variable, path) for path in files}


def _content(variable: str, path: Path) -> str:
    """What the file that a variable names holds, without the end of its only line."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise SecretFileError(f"{variable} names {path}, which cannot be read: {error.strerror}.") from None
    if len(raw) > LARGEST:
        raise SecretFileError(f"{variable} names {path}, which is larger than {LARGEST // 1024} KiB: is it a secret?")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise SecretFileError(f"{variable} names {path}, which is not text in UTF-8.") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise SecretFileError(f"{variable} names {path}, which is empty.")
    if "\0" in text:
        raise SecretFileError(f"{variable} names {path}, which is not text: it holds a null byte.")
    return text


__all__ = ["SUFFIX", "SecretFileError", "in_folder", "with_files"]
