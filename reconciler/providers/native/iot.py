"""AWS::IoT::Thing, ThingType, Policy, RoleAlias, BillingGroup and JobTemplate.

Most create calls answer an existing resource of the same settings as if they had made it, so that it is looked first.
"""

from __future__ import annotations

from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update, arn_tagging
from reconciler.providers.declared.progress import DELETE
from reconciler.providers.declared.reading import Item
from reconciler.providers.declared.shaping import at
from reconciler.providers.native.naming import NameRule

_ARN = "arn:{partition}:iot:{region}:{account}:"
#: A policy keeps this many versions.
_VERSIONS = 5
#: A thing type is deleted "five minutes after you deprecate it" at the earliest.
_DEPRECATED_FOR = "minutes after deprecation"
_LOOK_AGAIN = 30.0  # seconds


def _tagging(kind: str) -> Tagging:
    return arn_tagging("resourceArn", tags="tags", keys="tagKeys", create="tags", answer="tags", kind=f"iot:{kind}")


_THING = Declaration(
    type=TypeName("AWS::IoT::Thing"),
    service="iot",
    renames={"Id": "thingId", "Arn": "thingArn"},
    naming=NameRule("ThingName", 128),
    arn=f"{_ARN}thing/{{ThingName}}",
    read=Read("describe_thing"),
    create=Call("create_thing"),
    updates=(Update(Call("update_thing", ("AttributePayload",))),),
    delete=Call("delete_thing"),
    looks_first=True,
    resets={"AttributePayload": {"Attributes": {}}},
)
_THING_TYPE = Declaration(
    type=TypeName("AWS::IoT::ThingType"),
    service="iot",
    renames={"Id": "thingTypeId", "Arn": "thingTypeArn"},
    naming=NameRule("ThingTypeName", 128),
    arn=f"{_ARN}thingtype/{{ThingTypeName}}",
    read=Read("describe_thing_type"),
    create=Call("create_thing_type"),
    updates=(
        Update(Call("update_thing_type", ("ThingTypeProperties",))),
        Update(Call("deprecate_thing_type"), of=("DeprecateThingType",), later=True),
    ),
    delete=Call("delete_thing_type"),
    looks_first=True,
    tagging=_tagging("thingtype"),
    resets={"DeprecateThingType": False},
)
_POLICY = Declaration(
    type=TypeName("AWS::IoT::Policy"),
    service="iot",
    renames={"Id": "policyName", "Arn": "policyArn"},
    naming=NameRule("PolicyName", 128),
    identity={"Id": "{PolicyName}"},
    arn=f"{_ARN}policy/{{Id}}",
    read=Read("get_policy"),
    create=Call("create_policy"),
    updates=(Update(Call("create_policy_version", ("PolicyDocument",), constants={"setAsDefault": True})),),
    delete=Call("delete_policy"),
    tagging=_tagging("policy"),
    also=("iot:DeletePolicyVersion", "iot:ListPolicyVersions"),
)
_ROLE_ALIAS = Declaration(
    type=TypeName("AWS::IoT::RoleAlias"),
    service="iot",
    naming=NameRule("RoleAlias", 128),
    arn=f"{_ARN}rolealias/{{RoleAlias}}",
    read=Read("describe_role_alias", "roleAliasDescription"),
    create=Call("create_role_alias"),
    updates=(Update(Call("update_role_alias", ("RoleArn", "CredentialDurationSeconds"))),),
    delete=Call("delete_role_alias"),
    tagging=_tagging("rolealias"),
    resets={"CredentialDurationSeconds": 3600},
    also=("iam:PassRole",),
)
_BILLING_GROUP = Declaration(
    type=TypeName("AWS::IoT::BillingGroup"),
    service="iot",
    renames={"Id": "billingGroupId", "Arn": "billingGroupArn"},
    naming=NameRule("BillingGroupName", 128),
    arn=f"{_ARN}billinggroup/{{BillingGroupName}}",
    read=Read("describe_billing_group"),
    create=Call("create_billing_group"),
    updates=(Update(Call("update_billing_group", ("BillingGroupProperties",))),),
    delete=Call("delete_billing_group"),
    looks_first=True,
    tagging=_tagging("billinggroup"),
    resets={"BillingGroupProperties": {}},
)
_JOB_TEMPLATE = Declaration(
    type=TypeName("AWS::IoT::JobTemplate"),
    service="iot",
    renames={"Arn": "jobTemplateArn"},
    naming=NameRule("JobTemplateId", 64),
    arn=f"{_ARN}jobtemplate/{{JobTemplateId}}",
    read=Read("describe_job_template"),
    create=Call(
        "create_job_template",
        renames={
            "JobExecutionsRetryConfig/RetryCriteriaList": "criteriaList",
            "JobExecutionsRolloutConfig/ExponentialRolloutRate": "exponentialRate",
        },
    ),
    delete=Call("delete_job_template"),
    looks_first=True,  # a name that is taken is a conflict to AWS, as is much else
    tagging=_tagging("jobtemplate"),
    also=("iam:PassRole",),
)


class Thing(Declared):
    """A thing. Its attributes are read as they are, and replaced as a whole."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        if attributes := item.answer.get("attributes"):
            properties["AttributePayload"] = {"Attributes": dict(attributes)}
        return properties


class ThingType(Declared):
    """A thing type. It is deprecated first and deleted minutes later."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        properties["DeprecateThingType"] = bool(at(item.answer, "thingTypeMetadata.deprecated"))
        return properties

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: what undoes a deprecation is the same call."""
        if "DeprecateThingType" in update.names:
            self._deprecate(scope, identifier, undo=not after["DeprecateThingType"])
        else:
            super().change(scope, identifier, update, before, after)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """See ``ports.ResourceProvider``. Pending for as long as AWS wants it to have been deprecated."""
        try:
            if not at(self._reader.item(scope, identifier), "thingTypeMetadata.deprecated"):
                self._deprecate(scope, identifier, undo=False)
            return super().delete(scope, identifier)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return Done(identifier)
            if fault.code != "InvalidRequestException" or _DEPRECATED_FOR not in fault.message:
                raise
        return Pending(Handle(identifier, DELETE), _LOOK_AGAIN, f"{identifier} has to be deprecated for 5 minutes")

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``."""
        return self.delete(scope, handle.identifier) if handle.kind == DELETE else super().poll(scope, handle)

    def _deprecate(self, scope: Scope, identifier: Identifier, *, undo: bool) -> None:
        scope.call("iot", "deprecate_thing_type", thingTypeName=identifier, undoDeprecate=undo)


class Policy(Declared):
    """A policy. What is in force is a version of it, of which AWS keeps five."""

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: the oldest version goes to make room."""
        versions = self._others(scope, identifier)
        if len(versions) >= _VERSIONS - 1:
            self._forget(scope, identifier, versions[0])
        super().change(scope, identifier, update, before, after)

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: a policy goes when it has one version only."""
        for version in self._others(scope, identifier):
            self._forget(scope, identifier, version)
        super().remove(scope, identifier)

    def _others(self, scope: Scope, identifier: Identifier) -> list[str]:
        """The versions that aren't in force, oldest first: their ids are numbers."""
        found = scope.call("iot", "list_policy_versions", policyName=identifier)["policyVersions"]
        return sorted((one["versionId"] for one in found if not one["isDefaultVersion"]), key=int)

    def _forget(self, scope: Scope, identifier: Identifier, version: str) -> None:
        scope.call("iot", "delete_policy_version", policyName=identifier, policyVersionId=version)


PROVIDERS: tuple[ResourceProvider, ...] = (
    Thing(_THING),
    ThingType(_THING_TYPE),
    Policy(_POLICY),
    Declared(_ROLE_ALIAS),
    Declared(_BILLING_GROUP),
    Declared(_JOB_TEMPLATE),
)
