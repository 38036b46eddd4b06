"""Who this process is, and whether the holder of a lease still lives. What can't be proved is called unknown."""

from __future__ import annotations

import os
import socket
from enum import Enum, auto
from pathlib import Path

from reconciler.model.lease import Holder

#: The process id namespace that a machine boots with: this inode number is a constant of the Linux kernel.
_FIRST_NAMESPACE = "pid:[4026531836]"


class Life(Enum):
    """What is known of a process."""

    ALIVE = auto()
    DEAD = auto()
    UNKNOWN = auto()


class Machine:
    """The machine as this process sees it, through /proc. Where there is none, no other process's life is known."""

    def __init__(self, root: Path = Path("/"), hostname: str | None = None) -> None:
        self._proc = root / "proc"
        name = hostname if hostname is not None else socket.gethostname()
        self._host = f"{name}/{_text(root / 'etc/machine-id')}"

    def holder(self, nonce: str, ttl: float) -> Holder:
        """This process, as the holder of a lease."""
        pid = os.getpid()
        if not self._sees_itself(pid):
            return Holder(self._host, "", "", pid, "", nonce, ttl)
        state = self._state(pid)
        return Holder(
            host=self._host,
            boot=_text(self._proc / "sys/kernel/random/boot_id"),
            namespace=_link(self._proc / "self/ns/pid"),
            pid=pid,
            started=state[1] if state else "",
            nonce=nonce,
            ttl=ttl,
        )

    def life(self, other: Holder) -> Life:
        """Whether the process of ``other`` lives.

        An image can give the same machine id, and the same name, to containers on several machines. So another boot
        proves a death only between processes outside of containers.
        """
        me = self.holder("", 0.0)
        if me.host != other.host or not me.boot or not other.boot:
            return Life.UNKNOWN
        if me.boot != other.boot:
            return Life.DEAD if me.namespace == other.namespace == _FIRST_NAMESPACE else Life.UNKNOWN
        if not me.namespace or me.namespace != other.namespace:
            return Life.UNKNOWN
        return self._life_here(other)

    def _life_here(self, other: Holder) -> Life:
        try:
            # Asks the kernel: /proc may hide the processes of other users.
            os.kill(other.pid, 0)
        except ProcessLookupError:
            return Life.DEAD
        except PermissionError:
            pass
        except (OSError, OverflowError):
            return Life.UNKNOWN
        found = self._state(other.pid)
        if found is None or not other.started:
            return Life.UNKNOWN
        state, started = found
        return Life.DEAD if state in ("Z", "X") or started != other.started else Life.ALIVE

    def _sees_itself(self, pid: int) -> bool:
        """Whether /proc is that of this process's own namespace; otherwise its process ids are other processes."""
        return _link(self._proc / "self") == str(pid)

    def _state(self, pid: int) -> tuple[str, str] | None:
        """State and start time of a process. Its name, in brackets before them, may contain anything."""
        fields = _text(self._proc / str(pid) / "stat").rpartition(")")[2].split()
        return (fields[0], fields[19]) if len(fields) > 19 else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
