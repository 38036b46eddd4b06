"""Lambda: settings of functions that nobody has set are shown all the same."""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda import urls
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.responses import LambdaResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes

#: the last parts of the paths that the settings are at
_SETTINGS = ("function-scaling-config", "provisioned-concurrency", "recursion-config", "runtime-management-config")
_FUNCTION = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/"
_ROUTED = {f"{_FUNCTION}{setting}$": LambdaResponse.dispatch for setting in _SETTINGS}


class _NotSet(LambdaClientError):
    code = 404


def _must_be_there(self: Any) -> None:
    self.backend.get_function(self._get_param("FunctionName"))


def get_function_recursion_config(self: Any) -> str:
    """GetFunctionRecursionConfig."""
    _must_be_there(self)
    return json.dumps({"RecursiveLoop": "Terminate"})


def get_function_scaling_config(self: Any) -> str:
    """GetFunctionScalingConfig."""
    _must_be_there(self)
    raise _NotSet("ResourceNotFoundException", "not set")


def get_provisioned_concurrency_config(self: Any) -> str:
    """GetProvisionedConcurrencyConfig."""
    _must_be_there(self)
    raise _NotSet("ProvisionedConcurrencyConfigNotFoundException", "not set")


def get_runtime_management_config(self: Any) -> str:
    """GetRuntimeManagementConfig."""
    _must_be_there(self)
    return json.dumps({"UpdateRuntimeOn": "Auto"})


LESSONS = (
    Lesson(
        call="lambda:GetRuntimeManagementConfig",
        aws="shows what holds when nobody has set anything, or says that nothing is set",
        moto="has no such operations, nor a way to their paths",
        given=(
            changes(urls, url_paths=urls.url_paths | _ROUTED),
            adds(
                LambdaResponse,
                get_function_recursion_config,
                get_function_scaling_config,
                get_provisioned_concurrency_config,
                get_runtime_management_config,
            ),
        ),
    ),
)
