"""A lock in a shared folder that outlives neither its process nor its machine.

No ``flock``: network file systems lack it, or keep it to one machine. A lock is a file that comes
into being by a hard link, or is created exclusively where there are no links; that is atomic on
local file systems, NFS, Lustre and GPFS. It names its process and machine, and its modification
time is a heartbeat. It is dead

- at once, when it was taken on this machine (the same host name, boot and process namespace) by a
  process that is gone;
- otherwise when it has not been touched for `STALE` seconds by the file server's own clock, so
  that the machines' clocks need not agree.

A lock keeps runs from doing the same work twice. It does not keep files right: each is written
under a name of its own process and renamed, and two runs would write the same bytes. So a process
that was suspended for longer than `STALE` seconds and then wakes does no harm either.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BEAT = 5.0  # seconds between heartbeats
STALE = 60.0  # seconds without one after which a lock of another machine is dead


class LockError(RuntimeError):
    """A lock cannot be had, or was lost; who takes one says for what, and what to do."""


class HeldError(LockError):
    """Another live process has the lock."""


class Lock:
    """A lock that is held; see `acquire`.

    Args:
        path: its file.
        token: what tells this holder from every other.
    """

    def __init__(self, path: Path, token: str) -> None:
        self.path = path
        self.token = token
        self._beaten = time.monotonic()

    @classmethod
    def acquire(
        cls,
        path: Path,
        about: dict[str, Any] | None = None,
        patience: float = 0.0,
        say: Callable[[str], None] = print,
    ) -> Lock:
        """Take a lock.

        Args:
            path: its file; the folder exists.
            about: plain data for whoever finds it.
            patience: seconds to wait for a live holder. A holder on another machine that may be
                dead is waited for until that is certain, whatever the patience.
            say: told why when waiting takes long.

        Raises:
            HeldError: a live process has it.
            OSError: it cannot be written.
        """
        token = secrets.token_hex(8)
        text = json.dumps({"token": token, **_identity(), **(about or {})})
        began, first, told = time.monotonic(), None, False
        while True:
            if _create(path, text, token):
                return cls(path, token)
            holder = read_holder(path)
            if holder is None:
                continue
            if holder["dead"]:
                _remove(path, holder["token"], token)
                continue
            first = first or holder
            waited = time.monotonic() - began
            beats = (holder["token"], holder["beat"]) != (first["token"], first["beat"])
            if waited >= patience and (holder["here"] or beats):
                raise HeldError(f"{describe(holder)} is at work here ({path})")
            if not told and waited > 2:
                say(f"Waiting for {describe(holder)}: at most {STALE:.0f} s if it is dead ({path})")
                told = True
            time.sleep(0.02 if waited < 1 else 0.5)

    def beat(self) -> None:
        """Show that the holder lives, at most every `BEAT` seconds.

        Raises:
            LockError: another process has taken the lock, or its folder is gone.
        """
        if time.monotonic() - self._beaten < BEAT:
            return
        holder = read_holder(self.path)
        if holder is None or holder["token"] != self.token:
            raise LockError(
                f"the lock {self.path} was lost: this process stood still for so long that another "
                "one took its place, or the folder was removed"
            )
        os.utime(self.path)
        self._beaten = time.monotonic()

    def release(self) -> None:
        """Give the lock back, if it is still held."""
        holder = read_holder(self.path)
        if holder is not None and holder["token"] == self.token:
            self.path.unlink(missing_ok=True)


def read_holder(path: Path) -> dict[str, Any] | None:
    """Return what a lock says: token, host, pid, beat, here, dead, and its ``about``; None: free.

    Args:
        path: the lock's file.
    """
    try:
        with open(path, "rb") as file:  # opening makes NFS ask the server
            beat = os.fstat(file.fileno()).st_mtime
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        holder = json.loads(text)
    except ValueError:  # just being written, or its writer died over it
        holder = {"token": "", "host": "", "pid": 0}
    here = holder["host"] == _identity()["host"]
    gone = here and holder["started"] != _started(holder["pid"])
    stale = not here and _server_time(path.parent) - beat >= STALE
    return {**holder, "beat": beat, "here": here, "dead": gone or stale}


def describe(holder: dict[str, Any]) -> str:
    """Name the process that holds a lock."""
    host = holder["host"].split("/")[0] or "an unknown machine"
    shard = f", --shard {holder['shard']}" if "shard" in holder else ""
    return f"process {holder['pid']} on {host}{shard}"


def _create(path: Path, text: str, token: str) -> bool:
    """Create a lock with its text, in one step where the file system has hard links."""
    part = path.with_name(f"{path.name}.{token}")
    try:
        part.write_text(text)  # where this fails, so would the other way
        try:
            os.link(part, path)
        except FileExistsError:
            return False
        except FileNotFoundError:
            raise
        except OSError:
            return _create_without_links(path, text)
    finally:
        part.unlink(missing_ok=True)
    return True


def _create_without_links(path: Path, text: str) -> bool:
    try:
        file = open(path, "x")  # noqa: SIM115  (closed below, before it is removed)
    except FileExistsError:
        return False
    try:
        with file:
            file.write(text)
    except BaseException:
        path.unlink(missing_ok=True)  # an empty lock would hold others up
        raise
    return True


def _remove(path: Path, dead: str, token: str) -> None:
    """Remove a dead lock; of several processes that try, one succeeds."""
    aside = path.with_name(f"{path.name}.{token}")
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        return
    holder = read_holder(aside)
    if holder is not None and holder["token"] != dead:
        with contextlib.suppress(OSError):  # another was faster: this is its new lock, put it back
            os.link(aside, path)
    aside.unlink(missing_ok=True)


def _identity() -> dict[str, Any]:
    """Return what tells a process of one machine from those of others."""
    boot, namespace = "", ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        pass
    host = f"{socket.gethostname()}/{boot}/{namespace}"
    return {"host": host, "pid": os.getpid(), "started": _started(os.getpid())}


def _started(pid: int) -> str | None:
    """Return when a process of this machine started, in any unit; None: there is none."""
    try:
        # The second field, the program's name, may hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        pass
    if os.path.exists("/proc/self/stat"):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return "unknown"


def _server_time(folder: Path) -> float:
    """Return the time by the clock that stamps files of a folder."""
    file = folder / f".clock-{secrets.token_hex(8)}"
    try:
        file.touch()
        return file.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        file.unlink(missing_ok=True)
