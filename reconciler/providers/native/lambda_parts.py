"""AWS::Lambda: what hangs on a function: aliases, event source mappings, addresses, versions."""

from __future__ import annotations

from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.progress import Progress
from reconciler.model.resource import Located
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Read, Update, Waiting, arn_tagging
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.frame import already_exists

_FUNCTION = "arn:{partition}:lambda:{region}:{account}:function"
_CONCURRENCY = ("ProvisionedConcurrencyConfig",)
_REQUESTED = {
    "ProvisionedConcurrencyConfig/ProvisionedConcurrentExecutions": "RequestedProvisionedConcurrentExecutions"
}
_PROVISION = "put_provisioned_concurrency_config"


class _OfFunction(Declared):
    """Something of a function, which a plan may name in several ways: here it goes by its bare name."""

    #: the property that names the function
    function = "FunctionName"

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """See ``Declared``."""
        return super().locate(scope, self._named(desired), owner)

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``Declared``."""
        return super().create(scope, self._named(desired), token)

    def _named(self, desired: Properties) -> Properties:
        name = desired.get(self.function)
        return {**desired, self.function: bare(name)} if isinstance(name, str) else desired


def bare(function: str) -> str:
    """The name in a function's name, partial or full ARN."""
    before, found, after = function.rpartition("function:")
    return after.partition(":")[0] if found and before.count(":") in (1, 5) else function


_ALIAS_ARN = f"{_FUNCTION}:{{FunctionName}}:{{Name}}"

_ALIAS = Declaration(
    type=TypeName("AWS::Lambda::Alias"),
    service="lambda",
    identity={"AliasArn": _ALIAS_ARN},
    parts={"AliasArn": (_ALIAS_ARN,)},
    read=Read("get_alias"),
    extras=(
        Read(
            "get_provisioned_concurrency_config",
            renames=_REQUESTED,
            constants={"Qualifier": "{Name}"},
            shows=_CONCURRENCY,
            into=_CONCURRENCY[0],
            missing=("ProvisionedConcurrencyConfigNotFoundException",),
        ),
    ),
    create=Call("create_alias"),
    updates=(
        Update(Call("update_alias", ("Description", "FunctionVersion", "RoutingConfig"))),
        Update(
            Call(_PROVISION, _CONCURRENCY, constants={"Qualifier": "{Name}"}, spread=_CONCURRENCY),
            clear=Call("delete_provisioned_concurrency_config", constants={"Qualifier": "{Name}"}),
            later=True,
        ),
    ),
    delete=Call("delete_alias"),
    resets={"Description": "", "RoutingConfig": {"AdditionalVersionWeights": []}},
)


class Alias(_OfFunction):
    """An alias. The schema has the versions' weights as a list, the API as a map."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        if "RoutingConfig" in values:
            weights = (values["RoutingConfig"] or {}).get("AdditionalVersionWeights") or ()
            own = {str(weight["FunctionVersion"]): weight["FunctionWeight"] for weight in weights}
            values["RoutingConfig"] = {"AdditionalVersionWeights": own}
        return values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        properties.pop("RoutingConfig", None)
        weights = (item.answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
        if weights:
            pairs = [{"FunctionVersion": name, "FunctionWeight": weight} for name, weight in sorted(weights.items())]
            properties["RoutingConfig"] = {"AdditionalVersionWeights": pairs}
        return {name: value for name, value in properties.items() if value != ""}


_URL_ARNS = (f"{_FUNCTION}:{{TargetFunctionArn}}:{{Qualifier}}", f"{_FUNCTION}:{{TargetFunctionArn}}")
_TARGET = {"TargetFunctionArn": "FunctionName"}

_URL = Declaration(
    type=TypeName("AWS::Lambda::Url"),
    service="lambda",
    renames=_TARGET,
    identity={"FunctionArn": _URL_ARNS},
    parts={"FunctionArn": _URL_ARNS},
    read=Read("get_function_url_config"),
    create=Call("create_function_url_config"),
    updates=(Update(Call("update_function_url_config", ("AuthType", "Cors", "InvokeMode"))),),
    delete=Call("delete_function_url_config"),
    resets={"Cors": {}, "InvokeMode": "BUFFERED"},
)


class Url(_OfFunction):
    """The address of a function or of one of its aliases."""

    function = "TargetFunctionArn"


_VERSION_ARN = f"{_FUNCTION}:{{FunctionName}}:{{Version}}"
_NUMBER = {"Qualifier": "{Version}"}

_VERSION = Declaration(
    type=TypeName("AWS::Lambda::Version"),
    service="lambda",
    parts={"FunctionArn": (_VERSION_ARN,)},
    read=Read("get_function_configuration", constants=_NUMBER),
    extras=(
        Read(
            "get_provisioned_concurrency_config",
            renames=_REQUESTED,
            constants=_NUMBER,
            shows=_CONCURRENCY,
            into=_CONCURRENCY[0],
            missing=("ProvisionedConcurrencyConfigNotFoundException",),
        ),
        Read(
            "get_runtime_management_config",
            constants=_NUMBER,
            shows=("RuntimePolicy",),
            into="RuntimePolicy",
        ),
        Read(
            "get_function_scaling_config",
            "RequestedFunctionScalingConfig",
            constants=_NUMBER,
            shows=("FunctionScalingConfig",),
            into="FunctionScalingConfig",
            missing=("ResourceNotFoundException",),
        ),
    ),
    create=Call("publish_version", ("CodeSha256", "Description", "FunctionName")),
    updates=(
        Update(Call(_PROVISION, _CONCURRENCY, constants=_NUMBER, spread=_CONCURRENCY), later=True),
        Update(
            Call("put_runtime_management_config", ("RuntimePolicy",), constants=_NUMBER, spread=("RuntimePolicy",)),
            later=True,
        ),
        Update(Call("put_function_scaling_config", ("FunctionScalingConfig",), constants=_NUMBER), later=True),
    ),
    # Without the number it would be the function that goes.
    delete=Call("delete_function", constants=_NUMBER),
    waiting=Waiting("State", pending=frozenset({"Pending"}), failed=frozenset({"Failed"}), why="StateReason"),
    also_reads=("lambda:ListVersionsByFunction",),
)


class Version(_OfFunction):
    """A version: what a function was at one time.

    Lambda publishes nothing where nothing has changed since the last version, and answers with that one. So a create
    whose answer was lost finds its own again; a second version of the same can't be made, as with CloudFormation.
    """

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``. Raises ALREADY_EXISTS for an earlier version that isn't as desired."""
        there = scope.pages("lambda", "list_versions_by_function", "Versions", FunctionName=desired["FunctionName"])
        earlier = {str(one["Version"]): one for one in there}
        made = super().make(scope, desired, token)
        number = made.rpartition(":")[2]
        if number in earlier and str(earlier[number].get("Description", "")) != str(desired.get("Description", "")):
            raise already_exists(self.type_name, made, "for this code and configuration: change the function first")
        return made

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``. Refuses what is no version's identifier."""
        if not str(self._reader.identity(scope, identifier).get("Version", "")).isdigit():
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{identifier} is no version of a function of this account")
        super().remove(scope, identifier)


_SOURCE = {"Id": "UUID"}

_MAPPING = Declaration(
    type=TypeName("AWS::Lambda::EventSourceMapping"),
    service="lambda",
    renames=_SOURCE,
    arn="arn:{partition}:lambda:{region}:{account}:event-source-mapping:{Id}",
    read=Read("get_event_source_mapping"),
    create=Call("create_event_source_mapping"),
    updates=(
        Update(
            Call(
                "update_event_source_mapping",
                (
                    "AmazonManagedKafkaEventSourceConfig",
                    "BatchSize",
                    "BisectBatchOnFunctionError",
                    "DestinationConfig",
                    "DocumentDBEventSourceConfig",
                    "Enabled",
                    "FilterCriteria",
                    "FunctionName",
                    "FunctionResponseTypes",
                    "KmsKeyArn",
                    "LoggingConfig",
                    "MaximumBatchingWindowInSeconds",
                    "MaximumRecordAgeInSeconds",
                    "MaximumRetryAttempts",
                    "MetricsConfig",
                    "ParallelizationFactor",
                    "ProvisionedPollerConfig",
                    "ScalingConfig",
                    "SelfManagedKafkaEventSourceConfig",
                    "SourceAccessConfigurations",
                    "TumblingWindowInSeconds",
                ),
            )
        ),
    ),
    delete=Call("delete_event_source_mapping"),
    listing=Listing(
        "list_event_source_mappings",
        "EventSourceMappings",
        {"FunctionName": "{FunctionName}", "EventSourceArn": "{EventSourceArn}"},
        match=("EventSourceArn",),
    ),
    tagging=arn_tagging("Resource", read="list_tags", kind="lambda:event-source-mapping"),
    waiting=Waiting(
        "State", pending=frozenset({"Creating", "Enabling", "Disabling", "Updating"}), why="StateTransitionReason"
    ),
    resets={
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "Enabled": True,
        "FilterCriteria": {"Filters": []},
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "MetricsConfig": {"Metrics": []},
        "ParallelizationFactor": 1,
        "ScalingConfig": {},
        "TumblingWindowInSeconds": 0,
    },
)


class EventSourceMapping(Declared):
    """What feeds a function from a queue or stream. A function has one from each source."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``. Raises ACCESS_DENIED where Lambda can't decrypt the filters for us."""
        if error := item.answer.get("FilterCriteriaError"):
            message = f"the filters of {item.answer.get('UUID')} can't be decrypted: {error.get('Message')}"
            raise AwsFault(FaultKind.ACCESS_DENIED, message, service="lambda", operation="GetEventSourceMapping")
        properties["FunctionName"] = bare(str(item.answer["FunctionArn"]))
        properties["Enabled"] = item.answer.get("State") not in ("Disabled", "Disabling")
        return {name: value for name, value in properties.items() if value not in ([], {}, "")}


PROVIDERS: tuple[ResourceProvider, ...] = (
    Alias(_ALIAS),
    EventSourceMapping(_MAPPING),
    Url(_URL),
    Version(_VERSION),
)
