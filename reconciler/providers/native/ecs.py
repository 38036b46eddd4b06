"""AWS::ECS::Cluster and AWS::ECS::TaskDefinition."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from reconciler.model.errors import AwsFault
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.resource import Located, Unreadable, Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Update, Waiting, arn_tagging
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import read_each, sweep
from reconciler.providers.native.tagging import as_map, owner_in
from reconciler.schema.likeness import same

_CLUSTER = Declaration(
    type=TypeName("AWS::ECS::Cluster"),
    service="ecs",
    renames={"Arn": "clusterArn", "ClusterSettings": "settings"},
    naming=NameRule("ClusterName", 255),
    arn="arn:{partition}:ecs:{region}:{account}:cluster/{ClusterName}",
    read=Read(
        "describe_clusters",
        "clusters",
        constants={"include": ["CONFIGURATIONS", "SETTINGS", "TAGS"]},
        many=Many("clusters", "ClusterName"),
    ),
    create=Call("create_cluster"),
    looks_first=True,  # it answers a cluster of that name as if it had made it
    updates=(
        Update(
            Call(
                "update_cluster",
                ("ClusterSettings", "Configuration", "ServiceConnectDefaults"),
                {"ClusterName": "cluster"},
            )
        ),
        Update(
            Call(
                "put_cluster_capacity_providers",
                ("CapacityProviders", "DefaultCapacityProviderStrategy"),
                {"ClusterName": "cluster"},
            )
        ),
    ),
    delete=Call("delete_cluster", renames={"ClusterName": "cluster"}),
    tagging=arn_tagging(
        "resourceArn", tags="tags", keys="tagKeys", create="tags", read="", inline="tags", kind="ecs:cluster"
    ),
    waiting=Waiting(
        "status",
        pending=frozenset({"PROVISIONING", "DEPROVISIONING"}),
        failed=frozenset({"FAILED"}),
        gone=frozenset({"INACTIVE"}),
    ),
    resets={
        "CapacityProviders": [],
        "ClusterSettings": [{"Name": "containerInsights", "Value": "disabled"}],
        "DefaultCapacityProviderStrategy": [],
        "ServiceConnectDefaults": {"Namespace": ""},
    },
)


class Cluster(Declared):
    """A cluster. Its capacity providers and what is done with them are set by a call that replaces both."""

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if "CapacityProviders" in update.names and (lacking := update.names - after.keys()):
            live = self._live(scope, identifier, lacking)
            after = {**after, **{name: live.get(name) or [] for name in lacking}}
        super().change(scope, identifier, update, before, after)


_ARN_ASKED = {"taskDefinition": "{TaskDefinitionArn}"}

_TASK_DEFINITION = Declaration(
    type=TypeName("AWS::ECS::TaskDefinition"),
    service="ecs",
    renames={"ProxyConfiguration/ProxyConfigurationProperties": "properties"},
    naming=NameRule("Family", 255),
    arn="{TaskDefinitionArn}",
    read=Read("describe_task_definition", "taskDefinition", constants=_ARN_ASKED),
    create=Call("register_task_definition"),
    made="taskDefinition",
    delete=Call("deregister_task_definition", constants=_ARN_ASKED),
    tagging=arn_tagging(
        "resourceArn", tags="tags", keys="tagKeys", create="tags", answer="tags", kind="ecs:task-definition"
    ),
    waiting=Waiting("status", gone=frozenset({"INACTIVE", "DELETE_IN_PROGRESS"})),
    also=("iam:PassRole",),
    also_reads=("ecs:ListTaskDefinitions",),
)
#: How far back revisions of a family are looked at: what was made last is first.
_REVISIONS = 20


class TaskDefinition(Declared):
    """A revision of a task definition: it never changes, and none is registered that the owner already has."""

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``: registering has no token, so that what an earlier attempt made is looked for."""
        owner = owner_in(as_map(desired.get("Tags")))
        for located in self._revisions(scope, desired, owner) if owner is not None else ():
            live = self._live(scope, located.identifier, frozenset(desired))
            schema = self.schema_in(scope)
            if all(same(schema, (name,), value, live.get(name)) for name, value in desired.items()):
                return located.identifier
        return super().make(scope, desired, token)

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: one that is deregistered already can't be deregistered again."""
        self._reader.item(scope, identifier)
        super().remove(scope, identifier)

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """See ``ports.ResourceProvider``: the owner's revisions of the family, the newest first."""
        family = self._with_name(scope, desired, owner)
        found = dict.fromkeys(self._revisions(scope, family, owner))
        return tuple(found | dict.fromkeys(super().locate(scope, desired, owner)))

    def _revisions(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        family = desired.get("Family")
        if not isinstance(family, str):
            return ()
        arns = [arn for arn in _active(scope, family) if arn.rpartition("/")[2].rpartition(":")[0] == family]
        wanted = [Wanted(Identifier(arn), frozenset({"Tags"})) for arn in arns]
        answers = read_each(scope, wanted, partial(self._owner, scope))
        for answer in answers.values():
            if isinstance(answer, Unreadable):
                raise AwsFault(answer.kind, answer.message, service="ecs")
        return tuple(one for one in answers.values() if isinstance(one, Located) and one.owner == owner)

    def _owner(self, scope: Scope, wanted: Wanted) -> Located:
        live = self._live(scope, wanted.identifier, frozenset({"Tags"}))
        return Located(wanted.identifier, owner_in(as_map(live.get("Tags"))))


def _active(scope: Scope, family: str) -> Iterable[str]:
    pages = sweep(
        scope,
        "ecs",
        "list_task_definitions",
        key="taskDefinitionArns",
        token=("nextToken", "nextToken"),
        most=1,
        familyPrefix=family,
        status="ACTIVE",
        sort="DESC",
        maxResults=_REVISIONS,
    )
    return [str(arn) for page in pages for arn in page]


PROVIDERS: tuple[ResourceProvider, ...] = (Cluster(_CLUSTER), TaskDefinition(_TASK_DEFINITION))
