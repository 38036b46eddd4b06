"""AWS::EC2::Instance."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reconciler.model.errors import AwsFault
from reconciler.model.ids import OWNER_ID_TAG, OWNER_PLAN_TAG, ClientToken, Identifier, TypeName
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import (
    Call,
    Declaration,
    Listing,
    Many,
    Read,
    Update,
    Waiting,
    ec2_tagging,
)
from reconciler.providers.declared.reading import Item
from reconciler.providers.declared.shaping import at
from reconciler.providers.native.ec2_instance_calls import hand_over, with_names, with_volumes
from reconciler.providers.native.ec2_instance_shapes import (
    decoded,
    launched,
    observed,
)
from reconciler.providers.native.ec2_instance_volumes import VOLUMES, AttachingInstance
from reconciler.providers.native.frame import refuse_fixed, same
from reconciler.providers.native.reading import unreadable
from reconciler.providers.native.tagging import as_list, as_map
from reconciler.schema import MISSING

_MODIFY = "modify_instance_attribute"
_ATTRIBUTE = "describe_instance_attribute"
_DEVICES, _TEMPLATE = "BlockDeviceMappings", "LaunchTemplate"
_PROFILE, _CREDITS = "IamInstanceProfile", "CreditSpecification"
_DNS, _METADATA = "PrivateDnsNameOptions", "MetadataOptions"
#: called otherwise by ModifyInstanceAttribute
_ATTRIBUTES = {"KernelId": "Kernel", "RamdiskId": "Ramdisk"}
#: attributes of which elements are given bare
_BARE = {"SecurityGroupIds": "Groups", _DEVICES: _DEVICES}

_INSTANCE = Declaration(
    type=TypeName("AWS::EC2::Instance"),
    service="ec2",
    renames={f"{_CREDITS}/CPUCredits": "CpuCredits"},
    read=Read("describe_instances", "Reservations.Instances", many=Many("Filters", "InstanceId", 200, "instance-id")),
    extras=(
        *(
            Read(_ATTRIBUTE, f"{name}.Value", constants={"Attribute": attribute}, into=name, shows=(name,))
            for name, attribute in (
                ("DisableApiTermination", "disableApiTermination"),
                ("InstanceInitiatedShutdownBehavior", "instanceInitiatedShutdownBehavior"),
                ("UserData", "userData"),
            )
        ),
        Read(
            "describe_instance_credit_specifications",
            "InstanceCreditSpecifications.0",
            constants={"InstanceIds": ["{InstanceId}"]},
            into=_CREDITS,
            shows=(_CREDITS,),
        ),
    ),
    create=Call(
        "run_instances",
        (
            "AdditionalInfo",
            "Affinity",
            "AvailabilityZone",
            _DEVICES,
            "CpuOptions",
            _CREDITS,
            "DisableApiTermination",
            "EbsOptimized",
            "EnclaveOptions",
            "HibernationOptions",
            "HostId",
            "HostResourceGroupArn",
            _PROFILE,
            "ImageId",
            "InstanceInitiatedShutdownBehavior",
            "InstanceType",
            "Ipv6AddressCount",
            "Ipv6Addresses",
            "KernelId",
            "KeyName",
            _TEMPLATE,
            "LicenseSpecifications",
            _METADATA,
            "Monitoring",
            "NetworkInterfaces",
            "PlacementGroupName",
            _DNS,
            "PrivateIpAddress",
            "PropagateTagsToVolumeOnCreation",
            "RamdiskId",
            "SecurityGroupIds",
            "SecurityGroups",
            "SubnetId",
            "Tenancy",
            "UserData",
        ),
        renames={"NetworkInterfaces/GroupSet": "Groups"},
        constants={"MinCount": 1, "MaxCount": 1},
    ),
    made="Instances.0",
    # AWS takes one attribute a call
    updates=(
        *(
            Update(Call(_MODIFY, (name,)))
            for name in (
                _DEVICES,
                "DisableApiTermination",
                "EbsOptimized",
                "InstanceInitiatedShutdownBehavior",
                "InstanceType",
                "KernelId",
                "RamdiskId",
                "SecurityGroupIds",
                "UserData",
            )
        ),
        Update(Call(_MODIFY, ("SourceDestCheck",)), later=True),
        Update(Call("attach_volume"), of=(VOLUMES,), later=True, clear=Call("detach_volume")),
        Update(Call("modify_instance_placement", ("Affinity", "HostId", "Tenancy"))),
        Update(Call("monitor_instances", constants={"InstanceIds": ["{InstanceId}"]}), of=("Monitoring",)),
        Update(Call("associate_iam_instance_profile", (_PROFILE,)), clear=Call("disassociate_iam_instance_profile")),
        Update(Call("modify_instance_credit_specification", (_CREDITS,))),
        Update(Call("modify_instance_metadata_options", (_METADATA,), spread=(_METADATA,))),
        Update(
            Call(
                "modify_private_dns_name_options",
                (_DNS,),
                {"HostnameType": "PrivateDnsHostnameType"},
                spread=(_DNS,),
            )
        ),
    ),
    delete=Call("terminate_instances", constants={"InstanceIds": ["{InstanceId}"]}),
    listing=Listing("describe_instances", "Reservations.Instances", filtered=True),
    tagging=ec2_tagging("instance", "InstanceId"),
    repeatable="ClientToken",
    waiting=Waiting(
        "State.Name",
        pending=frozenset({"pending"}),
        gone=frozenset({"terminated"}),
        leaving=frozenset({"shutting-down"}),
    ),
    resets={
        "DisableApiTermination": False,
        "EbsOptimized": False,
        "InstanceInitiatedShutdownBehavior": "stop",
        "Monitoring": False,
        "SourceDestCheck": True,
        "UserData": "",
    },
    # associations are resources of their own; AWS sells no elastic GPUs and accelerators any more
    unsupported=frozenset({"ElasticGpuSpecifications", "ElasticInferenceAccelerators", "SsmAssociations"}),
    also=(
        "iam:PassRole",
        "ec2:DeleteTags",
        "ec2:ReplaceIamInstanceProfileAssociation",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "ec2:UnmonitorInstances",
    ),
    also_reads=(
        "ec2:DescribeIamInstanceProfileAssociations",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeVolumes",
    ),
)


class Instance(AttachingInstance):
    """An instance. What its type, its data and where it stands are is changed while it is stopped (``Restarted``)."""

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.ResourceProvider``. Devices show little: their volumes show the rest."""
        found = dict(super().read_many(scope, wanted))
        for name, completed in ((_DEVICES, with_volumes), (_TEMPLATE, with_names)):
            asking = {item.identifier for item in wanted if name in item.properties}
            having = [one for one in found.values() if isinstance(one, Observation) and one.properties.get(name)]
            shown = [one for one in having if one.identifier in asking]
            try:
                found |= completed(scope, shown) if shown else {}
            except AwsFault as fault:
                found |= {one.identifier: unreadable(one.identifier, fault) for one in shown}
            # half of it is none of it
            found |= {one.identifier: _without(one, name) for one in having if one.identifier not in asking}
        return found

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``. Volumes may get the instance's tags, but those that say whose it is."""
        propagated = {
            key: text
            for key, text in as_map(desired.get("Tags")).items()
            if key not in (OWNER_ID_TAG, OWNER_PLAN_TAG) and desired.get("PropagateTagsToVolumeOnCreation")
        }
        if not propagated:
            return super().make(scope, desired, token)
        declaration = self.declaration
        values = {name: value for name, value in desired.items() if name in self._created and name != "Tags"}
        given = self._parameters(scope, declaration.create, {}, values)
        assert self._tagger is not None
        tagged = self._tagger.created(declaration.create.operation, as_map(desired.get("Tags")))
        volumes = {"ResourceType": "volume", "Tags": as_list(propagated)}
        given |= {"TagSpecifications": [*tagged["TagSpecifications"], volumes], "ClientToken": token}
        return self._identifier(scope, desired, at(scope.call("ec2", "run_instances", **given), declaration.made))

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        if call.operation == "run_instances":
            data = {name: value for name, value in values.items() if name != "PropagateTagsToVolumeOnCreation"}
            return launched(data)
        if call.operation == _MODIFY:
            return {called: value for name, one in values.items() for called, value in _attribute(name, one).items()}
        return values

    def _parameters(
        self, scope: Scope, call: Call, identity: Mapping[str, Any], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Data for the instance needn't be text; the SDK encodes it by itself."""
        given = super()._parameters(scope, call, identity, values)
        if call.operation == "run_instances" and given.get("UserData"):
            given["UserData"] = decoded(str(given["UserData"]))
        return given

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        kept = {name: value for name, value in properties.items() if name not in (_PROFILE, "Licenses")}
        return {**kept, **observed(item.answer)}

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``: the oldest types with credits are the ones that aren't unlimited by themselves."""
        kind = str(after.get("InstanceType") or before.get("InstanceType") or "")
        if name == _CREDITS:
            return {"CPUCredits": "standard" if kind.startswith("t2.") else "unlimited"} if kind else MISSING
        return super().adapt_reset(name, before, after)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if update.names == {"Monitoring"}:
            operation = "monitor_instances" if after.get("Monitoring") else "unmonitor_instances"
            scope.call("ec2", operation, InstanceIds=[identifier])
        elif update.names == {_PROFILE}:
            hand_over(scope, identifier, str(after.get(_PROFILE) or ""))
        elif update.names == {_CREDITS}:
            kind = str((after.get(_CREDITS) or {}).get("CPUCredits"))
            given = [{"InstanceId": identifier, "CpuCredits": kind}]
            scope.call("ec2", "modify_instance_credit_specification", InstanceCreditSpecifications=given)
        elif update.names == {VOLUMES}:
            self.attach(scope, identifier, before, after)
        elif update.names == {_DEVICES}:
            self._keep_volumes(scope, identifier, before, after)
        else:
            super().change(scope, identifier, update, before, after)

    def _keep_volumes(self, scope: Scope, identifier: Identifier, before: Properties, after: Properties) -> None:
        """Say whether volumes go with the instance, which is all that can be changed of its devices."""
        there = {one["DeviceName"]: one["Ebs"] for one in before.get(_DEVICES) or ()}
        devices = [dict(one) for one in after.get(_DEVICES) or ()]
        for one in devices:
            ebs, live = dict(one.get("Ebs") or {}), there.get(one.get("DeviceName"), {})
            ebs.pop("DeleteOnTermination", None)
            shown = {key: live.get(key) for key in ebs}
            given, found = ([{"DeviceName": one.get("DeviceName"), "Ebs": each}] for each in (ebs, shown))
            if one.get("DeviceName") not in there or not same(self.type_name, scope.region, _DEVICES, given, found):
                refuse_fixed(self.type_name, frozenset({_DEVICES}), frozenset({_DEVICES}))
        kept = [
            {"DeviceName": one["DeviceName"], "Ebs": {"DeleteOnTermination": one["Ebs"]["DeleteOnTermination"]}}
            for one in devices
            if "DeleteOnTermination" in (one.get("Ebs") or {})
        ]
        if kept:
            self._send(scope, Call(_MODIFY), self._reader.identity(scope, identifier), {_DEVICES: kept})


def _attribute(name: str, value: Any) -> dict[str, Any]:
    """A property as ModifyInstanceAttribute takes it: a structure with a value in it, mostly."""
    if name in _BARE:
        return {_BARE[name]: value}
    if name == "InstanceId":
        return {name: value}
    return {_ATTRIBUTES.get(name, name): {"Value": decoded(str(value)) if name == "UserData" else value}}


def _without(observation: Observation, name: str) -> Observation:
    kept = {key: value for key, value in observation.properties.items() if key != name}
    return Observation(observation.identifier, kept)


PROVIDERS: tuple[ResourceProvider, ...] = (Instance(_INSTANCE),)
