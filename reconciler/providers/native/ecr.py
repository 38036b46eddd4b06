"""AWS::ECR::Repository."""

from __future__ import annotations

from functools import cached_property

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Update, arn_tagging
from reconciler.providers.native.naming import NameRule

_MISSING_LIFECYCLE = ("LifecyclePolicyNotFoundException",)
_MISSING_POLICY = ("RepositoryPolicyNotFoundException",)

_REPOSITORY = Declaration(
    type=TypeName("AWS::ECR::Repository"),
    service="ecr",
    renames={"Arn": "repositoryArn"},
    naming=NameRule("RepositoryName", 256, lower=True),
    arn="arn:{partition}:ecr:{region}:{account}:repository/{RepositoryName}",
    read=Read("describe_repositories", "repositories", many=Many("repositoryNames", "RepositoryName")),
    extras=(
        Read(
            "get_lifecycle_policy",
            renames={"LifecyclePolicy/LifecyclePolicyText": "lifecyclePolicyText"},
            shows=("LifecyclePolicy",),
            into="LifecyclePolicy",
            missing=_MISSING_LIFECYCLE,
        ),
        Read(
            "get_repository_policy",
            "policyText",
            shows=("RepositoryPolicyText",),
            into="RepositoryPolicyText",
            missing=_MISSING_POLICY,
        ),
    ),
    create=Call("create_repository"),
    updates=(
        Update(Call("put_image_tag_mutability", ("ImageTagMutability",))),
        Update(Call("put_image_scanning_configuration", ("ImageScanningConfiguration",))),
        Update(
            Call("put_lifecycle_policy", ("LifecyclePolicy",), spread=("LifecyclePolicy",)),
            clear=Call("delete_lifecycle_policy"),
            later=True,
        ),
        Update(
            Call("set_repository_policy", ("RepositoryPolicyText",), {"RepositoryPolicyText": "policyText"}),
            clear=Call("delete_repository_policy"),
            later=True,
        ),
    ),
    delete=Call("delete_repository"),
    tagging=arn_tagging(
        "resourceArn", tags="tags", keys="tagKeys", create="tags", answer="tags", kind="ecr:repository"
    ),
    resets={"ImageTagMutability": "MUTABLE", "ImageScanningConfiguration": {"ScanOnPush": False}},
)

_WITH_IMAGES = Call("delete_repository", constants={"force": True})


class Repository(Declared):
    """A repository, whose images go with it only where its plan says so."""

    emptied_by = "EmptyOnDelete"

    @cached_property
    def supported(self) -> frozenset[str]:
        """See ``ports.ResourceProvider``. What only the deletion heeds takes no call."""
        return super().supported | {self.emptied_by}

    @property
    def fixed(self) -> frozenset[str]:
        """See ``Declared``."""
        return super().fixed - {self.emptied_by}

    def delete_whole(self, scope: Scope, identifier: Identifier) -> Progress:
        """See ``ports.Emptying``."""
        try:
            self._send(scope, _WITH_IMAGES, self._reader.identity(scope, identifier), {})
        except AwsFault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise
        return Done(identifier)


PROVIDERS: tuple[ResourceProvider, ...] = (Repository(_REPOSITORY),)
