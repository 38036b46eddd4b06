"""AWS::Lambda::Function."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Update, Waiting, arn_tagging
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.naming import NameRule

_SETTINGS = (
    "CapacityProviderConfig",
    "DeadLetterConfig",
    "Description",
    "DurableConfig",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "Handler",
    "ImageConfig",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
)
_CODE = "update_function_code"
_MANAGEMENT = ("RuntimeManagementConfig",)
_SIGNING = ("CodeSigningConfigArn",)
#: functions that run on capacity providers
_PUBLISHED = {"Qualifier": "$LATEST.PUBLISHED"}
#: The file that inline source text goes into, by the beginning of the runtime: that handlers are called index.… is
#: CloudFormation's rule.
_INLINE = {"nodejs": "index.js", "python": "index.py"}

_FUNCTION = Declaration(
    type=TypeName("AWS::Lambda::Function"),
    service="lambda",
    renames={"Arn": "FunctionArn", "SnapStartResponse": "SnapStart", "PublishToLatestPublished": "PublishTo"},
    naming=NameRule("FunctionName", 64),
    arn="arn:{partition}:lambda:{region}:{account}:function:{FunctionName}",
    # GetFunction has the tags as well, but hands out a signed address of the code: the guard refuses it.
    read=Read("get_function_configuration"),
    extras=(
        Read("get_function_concurrency", shows=("ReservedConcurrentExecutions",)),
        Read("get_function_recursion_config", shows=("RecursiveLoop",)),
        Read("get_runtime_management_config", shows=_MANAGEMENT, into=_MANAGEMENT[0]),
        Read("get_function_code_signing_config", shows=_SIGNING, missing=("ResourceNotFoundException",)),
        Read(
            "get_function_scaling_config",
            "RequestedFunctionScalingConfig",
            constants=_PUBLISHED,
            shows=("FunctionScalingConfig",),
            into="FunctionScalingConfig",
            missing=("ResourceNotFoundException",),
        ),
    ),
    create=Call("create_function"),
    updates=(
        # Code first, which takes the shorter time: while one change goes on, the other is refused and asked for again.
        Update(
            Call(_CODE, ("Code", "Architectures", "PublishToLatestPublished"), spread=("Code",)),
            along=("Code", "Architectures", "PublishToLatestPublished", "Runtime"),
        ),
        Update(Call("update_function_configuration", _SETTINGS)),
        Update(
            Call("put_function_concurrency", ("ReservedConcurrentExecutions",)),
            clear=Call("delete_function_concurrency"),
            later=True,
        ),
        Update(Call("put_function_recursion_config", ("RecursiveLoop",)), later=True),
        Update(Call("put_runtime_management_config", _MANAGEMENT, spread=_MANAGEMENT), later=True),
        Update(
            Call("put_function_code_signing_config", _SIGNING),
            clear=Call("delete_function_code_signing_config"),
        ),
        Update(Call("put_function_scaling_config", ("FunctionScalingConfig",), constants=_PUBLISHED), later=True),
    ),
    delete=Call("delete_function"),
    tagging=arn_tagging("Resource", read="list_tags", kind="lambda:function"),
    waiting=Waiting(
        "State",
        pending=frozenset({"Pending", "InProgress"}),
        failed=frozenset({"Failed", "DeleteFailed"}),
        gone=frozenset({"Deleting"}),
        why="StateReason",
        then="LastUpdateStatus",
    ),
    looks_first=True,
    resets={
        "Architectures": ["x86_64"],
        "DeadLetterConfig": {"TargetArn": ""},
        "Description": "",
        "Environment": {"Variables": {}},
        "EphemeralStorage": {"Size": 512},
        "FileSystemConfigs": [],
        "ImageConfig": {},
        "KmsKeyArn": "",
        "Layers": [],
        "LoggingConfig": {"LogFormat": "Text"},
        "MemorySize": 128,
        "PublishToLatestPublished": False,
        "RecursiveLoop": "Terminate",
        "RuntimeManagementConfig": {"UpdateRuntimeOn": "Auto"},
        "SnapStart": {"ApplyOn": "None"},
        "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"},
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
    },
    also=("iam:PassRole",),
)


class Function(Declared):
    """A function. Its code is never read; inline source text is sent as the archive that CloudFormation makes of it."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        code, runtime = values.get("Code"), str(values.get("Runtime", ""))
        if isinstance(code, Mapping) and isinstance(code.get("ZipFile"), str):
            values["Code"] = {**code, "ZipFile": archive(code["ZipFile"], runtime)}
        if call.operation == _CODE:
            values.pop("Runtime", None)
        if "PublishToLatestPublished" in values and not values["PublishToLatestPublished"]:
            del values["PublishToLatestPublished"]
        elif "PublishToLatestPublished" in values:
            values["PublishToLatestPublished"] = "LATEST_PUBLISHED"
        return values

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: the log group that AWS gives a function has its name."""
        if after.get("LoggingConfig") == self.declaration.resets["LoggingConfig"]:
            own = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{identifier}"}
            after = {**after, "LoggingConfig": own}
        super().change(scope, identifier, update, before, after)

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``. Raises ACCESS_DENIED where Lambda can't decrypt the variables for us."""
        answer = item.answer
        if error := (answer.get("Environment") or {}).get("Error"):
            raise AwsFault(
                FaultKind.ACCESS_DENIED,
                f"the variables of function {answer.get('FunctionName')} can't be decrypted: {error.get('Message')}",
                service="lambda",
                operation="GetFunctionConfiguration",
                code=str(error.get("ErrorCode", "")),
            )
        properties.pop("SnapStart", None)  # write-only by the schema, which shows it as SnapStartResponse
        properties.pop("PublishToLatestPublished", None)
        properties["Layers"] = [layer["Arn"] for layer in answer.get("Layers") or ()]
        properties["ImageConfig"] = (answer.get("ImageConfigResponse") or {}).get("ImageConfig")
        if not (properties.get("VpcConfig") or {}).get("SubnetIds"):
            properties.pop("VpcConfig", None)
        return {name: value for name, value in properties.items() if value not in (None, "", [], {})}


def archive(source: str, runtime: str) -> bytes:
    """Source text as a deployment package; the same text always gives the same bytes. Raises INVALID_REQUEST."""
    name = next((file for beginning, file in _INLINE.items() if runtime.startswith(beginning)), None)
    if name is None:
        message = f"Code.ZipFile is for Node.js and Python, not for {runtime or 'a function without Runtime'}"
        raise AwsFault(FaultKind.INVALID_REQUEST, message)
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as packed:
        packed.writestr(entry, source)
    return package.getvalue()


PROVIDERS: tuple[ResourceProvider, ...] = (Function(_FUNCTION),)
