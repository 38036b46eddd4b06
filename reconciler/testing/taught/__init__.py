"""What moto is taught because AWS does it and moto doesn't: a module for a service, a ``Lesson`` for a difference.

moto answers a request in two layers: ``moto.SERVICE.responses`` has a method for each operation,
``moto.SERVICE.models`` the resources that it works on. A lesson gives these classes methods, and that is the only way
in which the local AWS differs from moto. What a lesson has ``remembered`` is kept at moto's own resource, so that it
goes when that does.

To add one:

1. Make sure of what AWS does by its documentation, and see moto do otherwise: one call that shows it.
2. In the service's module (called as moto's package; a new one goes into the list below), write the methods under the
   operations' names. ``self._get_param("Name")`` is what was asked, ``ActionResult`` what is answered, an exception of
   ``moto.SERVICE.exceptions`` the error. A method that does what moto does and something more keeps moto's at the top
   of the module and calls it.
3. Add a ``Lesson`` to the module's ``LESSONS``: the call, what AWS does, what moto does, and the methods, as ``adds``
   where moto has none and as ``changes`` where ours take the place of moto's. ``tests/unit/testing`` compares that with
   moto, so a lesson that an update of moto has made needless, or pointless, is noticed.
4. A path that moto doesn't route is added to the service's ``url_paths`` (see ``awslambda``).
5. See the type's contract tests fail without the lesson; where none does, test it in ``tests/unit/testing``.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.testing.taught.lesson import Lesson

#: the modules
_SERVICES = (
    "acm",
    "apigateway",
    "autoscaling",
    "awslambda",
    "cloudwatch",
    "codebuild",
    "datapipeline",
    "dynamodb",
    "ec2",
    "efs",
    "elbv2",
    "emr",
    "iot",
    "kinesis",
    "kms",
    "logs",
    "redshift",
    "s3",
    "sagemaker",
    "sns",
    "sqs",
)


def lessons() -> tuple[Lesson, ...]:
    """All of them. moto is imported here, not before."""
    services = [import_module(f"{__name__}.{name}") for name in _SERVICES]
    return tuple(lesson for service in services for lesson in service.LESSONS)


@cache
def teach() -> None:
    """Teach moto what the providers' types need of AWS, once a process and before it serves."""
    for lesson in lessons():
        lesson.teach()
