"""Turns itself into another program that runs as a given user and ends when its parent does.

Started as `python -I -S launch.py PARENT_PID SIGNAL UID GID PROGRAM ARGUMENT...`, a UID of -1 keeps the user.
It is a program of its own because code between fork and exec is unsafe in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Give up privileges, tie this process's life to the parent's, become the program."""
    parent, end_signal, uid, gid = (int(text) for text in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, which would clear it. Elsewhere the next start ends what a killed stack left behind.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, end_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("The parent ended before this process began.")
    os.execvp(program[0], program)  # noqa: S606 - there is no shell in it on purpose


if __name__ == "__main__":
    main(sys.argv[1:])
