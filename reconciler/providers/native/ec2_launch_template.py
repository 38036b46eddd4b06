"""AWS::EC2::LaunchTemplate."""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Progress
from reconciler.model.resource import Located
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Update
from reconciler.providers.declared.shaping import value_at
from reconciler.providers.native.ec2_base import update_tags
from reconciler.providers.native.frame import already_exists, same
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.tagging import Tags, as_list, as_map

_DATA = "LaunchTemplateData"
_NOTE = "VersionDescription"
_TAGS = "TagSpecifications"
_VERSION = "create_launch_template_version"

_TEMPLATE = Declaration(
    type=TypeName("AWS::EC2::LaunchTemplate"),
    service="ec2",
    naming=NameRule("LaunchTemplateName", 128),
    read=Read("describe_launch_templates", "LaunchTemplates", many=Many("LaunchTemplateIds", "LaunchTemplateId", 200)),
    named=Read(
        "describe_launch_templates",
        "LaunchTemplates",
        constants={"Filters": [{"Name": "launch-template-name", "Values": ["{LaunchTemplateName}"]}]},
    ),
    create=Call("create_launch_template"),
    made="LaunchTemplate",
    updates=(
        Update(Call(_VERSION, (_DATA, _NOTE)), whole=True),
        Update(Call("create_tags"), of=(_TAGS,), clear=Call("delete_tags")),
    ),
    delete=Call("delete_launch_template"),
    repeatable="ClientToken",
    also=("ec2:CreateTags",),
    also_reads=("ec2:DescribeLaunchTemplateVersions",),
)


class LaunchTemplate(Declared):
    """A launch template. A change is a new version; which one is the default isn't CloudFormation's to say."""

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``. A version that is there already, of an attempt that was cut short, isn't made twice."""
        if update.call.operation != _VERSION:
            there = as_map(self._reader.item(scope, identifier).get("Tags"))
            wanted = _tags_in(after.get(_TAGS))
            update_tags(scope, identifier, {"Tags": as_list(there)}, {"Tags": as_list(wanted)})
        elif not self._is_latest(scope, identifier, after):
            super().change(scope, identifier, update, before, after)

    def _resumed(self, scope: Scope, there: Located, desired: Properties) -> Progress:
        """A template of the name that was made with other data is another's."""
        if not self._is_latest(scope, there.identifier, desired):
            raise already_exists(self.type_name, there.identifier, "with other data")
        return super()._resumed(scope, there, desired)

    def _is_latest(self, scope: Scope, identifier: Identifier, wanted: Properties) -> bool:
        """Whether the latest version has the data and description that are wanted."""
        given = {"LaunchTemplateId": identifier, "Versions": ["$Latest"]}
        found = scope.pages("ec2", "describe_launch_template_versions", "LaunchTemplateVersions", **given)
        if not found:
            return False
        data = value_at(self.schema_in(scope), _DATA, found[0].get(_DATA) or {}, {})
        noted = str(found[0].get(_NOTE) or "") == str(wanted.get(_NOTE) or "")
        return noted and same(self.type_name, scope.region, _DATA, wanted.get(_DATA), data)


def _tags_in(specifications: Any) -> Tags:
    """The tags of the template itself; a specification for anything else is refused by AWS."""
    entries = specifications if isinstance(specifications, list) else []
    return {key: text for entry in entries for key, text in as_map(entry.get("Tags")).items()}


PROVIDERS: tuple[ResourceProvider, ...] = (LaunchTemplate(_TEMPLATE),)
