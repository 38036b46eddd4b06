"""AWS::StepFunctions::StateMachine."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Update, Waiting, arn_tagging
from reconciler.providers.native.naming import NameRule
from reconciler.schema.substitution import substituted

#: The definition, in whichever way it is given, and what is put into it.
_DEFINITION = ("Definition", "DefinitionString", "DefinitionSubstitutions")
_ARN = "arn:{partition}:states:{region}:{account}:stateMachine:{StateMachineName}"
_TEXT = {"DefinitionString": "definition"}

_MACHINE = Declaration(
    type=TypeName("AWS::StepFunctions::StateMachine"),
    service="stepfunctions",
    renames={
        **_TEXT,
        "Arn": "stateMachineArn",
        "StateMachineName": "name",
        "StateMachineRevisionId": "revisionId",
        "StateMachineType": "type",
    },
    naming=NameRule("StateMachineName", 80, distinct=("StateMachineType",)),
    identity={"Arn": _ARN},
    arn=_ARN,
    read=Read("describe_state_machine"),
    create=Call(
        "create_state_machine",
        (
            *_DEFINITION,
            "EncryptionConfiguration",
            "LoggingConfiguration",
            "RoleArn",
            "StateMachineName",
            "StateMachineType",
            "TracingConfiguration",
        ),
    ),
    updates=(
        Update(
            Call(
                "update_state_machine",
                (*_DEFINITION, "EncryptionConfiguration", "LoggingConfiguration", "RoleArn", "TracingConfiguration"),
            ),
            along=_DEFINITION,
        ),
    ),
    delete=Call("delete_state_machine"),
    tagging=arn_tagging(
        "resourceArn", tags="tags", keys="tagKeys", create="tags", answer="tags", kind="states:stateMachine"
    ),
    waiting=Waiting("status", gone=frozenset({"DELETING"})),
    looks_first=True,
    resets={
        **dict.fromkeys(_DEFINITION),  # another way to give it takes its place
        "EncryptionConfiguration": {"Type": "AWS_OWNED_KEY"},
        "LoggingConfiguration": {"Level": "OFF", "IncludeExecutionData": False, "Destinations": []},
        "TracingConfiguration": {"Enabled": False},
    },
    also=("iam:PassRole",),
)


class StateMachine(Declared):
    """A state machine. Its definition can be given as text or as an object; AWS shows it as ``DefinitionString``.

    Where it lies in S3 (``DefinitionS3Location``) isn't supported: reading it takes permissions that nothing else here
    needs.
    """

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``. What is given as an object is the plan's; the text may be what is live."""
        given = {name: values.pop(name) for name in _DEFINITION if values.get(name) is not None}
        text = given.get("DefinitionString")
        if "Definition" in given:
            text = json.dumps(given["Definition"])
        if text is not None:
            values["DefinitionString"] = substituted(text, given.get("DefinitionSubstitutions") or {})
        return values


PROVIDERS: tuple[ResourceProvider, ...] = (StateMachine(_MACHINE),)
