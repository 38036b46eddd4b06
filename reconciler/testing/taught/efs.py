"""EFS: the backup policy of a file system is set after its creation, and a disabled one is shown."""

from __future__ import annotations

import json
from typing import Any

from moto.efs.exceptions import FileSystemNotFound
from moto.efs.models import FileSystem
from moto.efs.responses import EFSResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes

_shown = vars(FileSystem)["backup_policy"].fget


def put_backup_policy(self: Any) -> Any:
    """PutBackupPolicy."""
    identifier, policy = self._get_param("FileSystemId"), self._get_param("BackupPolicy")
    system = self.efs_backend.file_systems_by_id.get(identifier)
    if system is None:
        raise FileSystemNotFound(identifier)
    system.taught_policy = {"Status": policy["Status"]}
    return json.dumps({"BackupPolicy": system.taught_policy}), {"Content-Type": "application/json"}


def backup_policy(self: Any) -> Any:
    """What DescribeBackupPolicy shows; None: that there is no policy."""
    return getattr(self, "taught_policy", None) or _shown(self)


LESSONS = (
    Lesson(
        call="efs:PutBackupPolicy",
        aws="sets the policy of a file system that is there; one that was disabled is shown as such",
        moto="only knows of a policy from the file system's creation, and shows no disabled one",
        given=(
            adds(EFSResponse, put_backup_policy),
            changes(FileSystem, backup_policy=property(backup_policy)),
        ),
    ),
)
