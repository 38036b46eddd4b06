"""AWS::SageMaker::NotebookInstance and NotebookInstanceLifecycleConfig."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Read, Update, Waiting
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.restarting import RUNNING, STOPPED, Restarted
from reconciler.providers.native.sagemaker import Named, tagging

_UPDATE = "update_notebook_instance"
#: what is taken away by a parameter of its own
_DISASSOCIATED = {
    "AcceleratorTypes": "DisassociateAcceleratorTypes",
    "AdditionalCodeRepositories": "DisassociateAdditionalCodeRepositories",
    "DefaultCodeRepository": "DisassociateDefaultCodeRepository",
    "LifecycleConfigName": "DisassociateLifecycleConfig",
}
_STATES = {"InService": RUNNING, "Stopped": STOPPED}
_LEAVING = "leaving"

_NOTEBOOK = Declaration(
    type=TypeName("AWS::SageMaker::NotebookInstance"),
    service="sagemaker",
    naming=NameRule("NotebookInstanceName", 63),
    named=Read("describe_notebook_instance"),
    arn="{NotebookInstanceArn}",
    read=Read(
        "describe_notebook_instance",
        renames={"LifecycleConfigName": "NotebookInstanceLifecycleConfigName", "SecurityGroupIds": "SecurityGroups"},
    ),
    create=Call("create_notebook_instance"),
    updates=(
        Update(
            Call(
                _UPDATE,
                (
                    *_DISASSOCIATED,
                    "InstanceMetadataServiceConfiguration",
                    "InstanceType",
                    "RoleArn",
                    "RootAccess",
                    "VolumeSizeInGB",
                ),
            )
        ),
    ),
    delete=Call("delete_notebook_instance"),
    looks_first=True,  # a name that is taken is an invalid request to AWS, as is much else
    tagging=tagging("notebook-instance"),
    waiting=Waiting(
        "NotebookInstanceStatus",
        pending=frozenset({"Pending", "Stopping", "Updating", "PendingMaintenance", "InMaintenance"}),
        failed=frozenset({"Failed"}),
        why="FailureReason",
        seconds=15.0,
    ),
    resets={
        **dict.fromkeys(_DISASSOCIATED, ""),
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
        "RootAccess": "Enabled",
    },
    also=("iam:PassRole", "sagemaker:DeleteTags", "sagemaker:StartNotebookInstance", "sagemaker:StopNotebookInstance"),
    asks={
        "KmsKeyId": ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"),
        "SubnetId": (
            "ec2:CreateNetworkInterface",
            "ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission",
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ),
    },
)
_LIFECYCLE = Declaration(
    type=TypeName("AWS::SageMaker::NotebookInstanceLifecycleConfig"),
    service="sagemaker",
    naming=NameRule("NotebookInstanceLifecycleConfigName", 63),
    named=Read("describe_notebook_instance_lifecycle_config"),
    arn="{NotebookInstanceLifecycleConfigArn}",
    read=Read("describe_notebook_instance_lifecycle_config"),
    create=Call("create_notebook_instance_lifecycle_config"),
    updates=(Update(Call("update_notebook_instance_lifecycle_config", ("OnCreate", "OnStart")), whole=True),),
    delete=Call("delete_notebook_instance_lifecycle_config"),
    looks_first=True,
    tagging=tagging("notebook-instance-lifecycle-config"),
    resets={"OnCreate": [], "OnStart": []},
)


class NotebookInstance(Restarted, Named):
    """A notebook instance. SageMaker changes and deletes it only while it is stopped."""

    stopping: ClassVar[Call] = Call("stop_notebook_instance")
    starting: ClassVar[Call] = Call("start_notebook_instance")
    before_running: ClassVar[frozenset[str]] = frozenset({"Pending", STOPPED})
    seconds: ClassVar[float] = 15.0

    def stopped_for(self, before: Properties, after: Properties, changed: frozenset[str]) -> frozenset[str]:  # noqa: ARG002
        """See ``Restarted``: all but tags."""
        return changed - {self._tags_name}

    def state_of(self, item: Mapping[str, Any]) -> str:
        """See ``Restarted``. Raises INVALID_REQUEST for one that has failed."""
        status = str(item.get("NotebookInstanceStatus"))
        if status == "Failed":
            message = f"{item.get('NotebookInstanceArn')} has failed: {item.get('FailureReason')}"
            raise AwsFault(FaultKind.INVALID_REQUEST, message, service="sagemaker", failed=True)
        return _STATES.get(status, status)

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        if call.operation != _UPDATE:
            return values
        gone = {switch for name, switch in _DISASSOCIATED.items() if name in values and not values[name]}
        kept = {name: value for name, value in values.items() if _DISASSOCIATED.get(name) not in gone}
        return {**kept, **dict.fromkeys(gone, True)}

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """See ``ports.ResourceProvider``."""
        try:
            status = str(self._reader.item(scope, identifier).get("NotebookInstanceStatus"))
        except AwsFault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise
            return Done(identifier)
        if status == "Deleting":
            return self._gone(scope, identifier)
        if status in ("Stopped", "Failed"):
            return super().delete(scope, identifier)
        if status == "InService":
            self._send(scope, self.stopping, self._reader.identity(scope, identifier), {})
        return Pending(Handle(identifier, _LEAVING), self.seconds, f"{identifier} is to be stopped, it is {status}")

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``."""
        if handle.kind == _LEAVING:
            return self.delete(scope, handle.identifier)
        return super().poll(scope, handle)


PROVIDERS: tuple[ResourceProvider, ...] = (NotebookInstance(_NOTEBOOK), Named(_LIFECYCLE))
