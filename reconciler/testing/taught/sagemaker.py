"""SageMaker: notebook instances are updated while they are stopped; their scripts are updated and have tags."""

from __future__ import annotations

from typing import Any

from moto.core.responses import EmptyResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeSagemakerNotebookInstance, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes, remembered

_create, _shown = SageMakerResponse.create_notebook_instance, FakeSagemakerNotebookInstance.to_dict
_create_config = SageMakerResponse.create_notebook_instance_lifecycle_config
_found = SageMakerModelBackend._get_resource_from_arn
#: what is called otherwise where it is shown
_SHOWN = {"LifecycleConfigName": "NotebookInstanceLifecycleConfigName"}
#: what an update takes away, by the switch for it
_GONE = {
    "DisassociateAcceleratorTypes": "AcceleratorTypes",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateLifecycleConfig": "NotebookInstanceLifecycleConfigName",
}
_KEPT = ("InstanceMetadataServiceConfiguration", "PlatformIdentifier")


def _instance(self: Any) -> Any:
    return self.sagemaker_backend.get_notebook_instance(self._get_param("NotebookInstanceName"))


def create_notebook_instance(self: Any) -> Any:
    """CreateNotebookInstance."""
    answer = _create(self)
    given = {name: value for name in _KEPT if (value := self._get_param(name))}
    remembered(_instance(self), "properties").update(given)
    return answer


def update_notebook_instance(self: Any) -> Any:
    """UpdateNotebookInstance."""
    instance = _instance(self)
    if instance.status != "Stopped":
        raise ValidationError(message=f"Status ({instance.status}) not in ([Stopped, Failed]).")
    given: dict[str, Any] = dict(self._get_params())
    del given["NotebookInstanceName"]
    gone = {name: None for switch, name in _GONE.items() if given.pop(switch, False)}
    fresh = {_SHOWN.get(name, name): value for name, value in given.items()}
    remembered(instance, "properties").update({**fresh, **gone})
    return EmptyResult()


def to_dict(self: Any) -> dict[str, Any]:
    """What DescribeNotebookInstance shows."""
    return {**_shown(self), **remembered(self, "properties")}


def _config(self: Any) -> Any:
    known = self.sagemaker_backend.notebook_instance_lifecycle_configurations
    return known[self._get_param("NotebookInstanceLifecycleConfigName")]


def create_notebook_instance_lifecycle_config(self: Any) -> Any:
    """CreateNotebookInstanceLifecycleConfig."""
    answer = _create_config(self)
    _config(self).tags = self._get_param("Tags") or []
    return answer


def update_notebook_instance_lifecycle_config(self: Any) -> Any:
    """UpdateNotebookInstanceLifecycleConfig."""
    config = _config(self)
    config.on_create, config.on_start = self._get_param("OnCreate"), self._get_param("OnStart")
    return EmptyResult()


def get_resource_from_arn(self: Any, arn: str) -> Any:
    """What tags are of."""
    known = self.notebook_instance_lifecycle_configurations.values()
    return next((one for one in known if one.arn == arn), None) or _found(self, arn)


LESSONS = (
    Lesson(
        call="sagemaker:UpdateNotebookInstance",
        aws="updates a notebook instance that is stopped, and shows what it was made with",
        moto="has no such operation, and forgets some of what it was made with",
        given=(
            adds(SageMakerResponse, update_notebook_instance),
            changes(SageMakerResponse, create_notebook_instance),
            changes(FakeSagemakerNotebookInstance, to_dict),
        ),
    ),
    Lesson(
        call="sagemaker:UpdateNotebookInstanceLifecycleConfig",
        aws="updates a lifecycle configuration",
        moto="has no such operation",
        given=(adds(SageMakerResponse, update_notebook_instance_lifecycle_config),),
    ),
    Lesson(
        call="sagemaker:CreateNotebookInstanceLifecycleConfig",
        aws="gives it the tags of the call",
        moto="has no tags of lifecycle configurations",
        given=(
            changes(SageMakerResponse, create_notebook_instance_lifecycle_config),
            changes(SageMakerModelBackend, _get_resource_from_arn=get_resource_from_arn),
        ),
    ),
)
