"""One plan document to one ``Plan``: its shape, the files it refers to, its template, its resources, its digest."""

from __future__ import annotations

from reconciler.model.ids import PlanName
from reconciler.model.plan import (
    Delivery,
    Guardrail,
    GuardrailException,
    IgnoreRule,
    Origin,
    PipelineTarget,
    Plan,
    RollbackPolicy,
    Target,
)
from reconciler.source.content import Reader, read_content
from reconciler.source.deliveries import Delivered, delivered
from reconciler.source.digest import plan_digest
from reconciler.source.document import Document
from reconciler.source.errors import validated
from reconciler.source.lint import Linter
from reconciler.source.models import PlanDocument, PlanSpec, RollbackProcedure, TargetShape
from reconciler.source.templates import loaded_template


def build_plan(document: Document, reader: Reader, linter: Linter) -> Plan:
    """The plan that ``document`` describes. Raises SourceError with everything that is wrong with it."""
    shape = validated(PlanDocument, document)
    spec = shape.spec
    target = _target(spec.target)
    name = PlanName(shape.metadata.name)
    body, files = read_content(document, spec, reader)
    loaded = loaded_template(document, body, spec, target, name, linter) if body else None
    rest = delivered(document, spec, reader, target, name, linter) if body is None else Delivered()
    return Plan(
        name=name,
        author=shape.metadata.author,
        target=target,
        guardrail=_guardrail(spec),
        rollback=_rollback(spec),
        digest=plan_digest(document.data, files),
        origin=Origin(document.file, document.line),
        delivery=_delivery(spec),
        description=shape.metadata.description,
        labels=dict(shape.metadata.labels),
        interval=spec.interval,
        suspend=spec.suspend,
        absent=spec.state == "absent",
        prune=spec.prune,
        ignore=tuple(IgnoreRule(rule.resource, rule.path) for rule in spec.ignore),
        parameters=loaded.parameters if loaded else rest.parameters,
        resources=loaded.resources if loaded else {},
        outputs=loaded.outputs if loaded else (),
        pipeline=PipelineTarget(**spec.pipeline.model_dump()) if spec.pipeline else None,
        stack=rest.stack,
        terraform=rest.terraform,
        cdk=rest.cdk,
    )


def _target(shape: TargetShape) -> Target:
    return Target(**shape.model_dump())


def _guardrail(spec: PlanSpec) -> Guardrail:
    shape = spec.guardrail
    exceptions = tuple(GuardrailException(**item.model_dump()) for item in shape.exceptions)
    return Guardrail(shape.status, shape.reference, exceptions)


def _rollback(spec: PlanSpec) -> RollbackPolicy:
    if isinstance(spec.rollback, RollbackProcedure):
        return RollbackPolicy("procedure", spec.rollback.procedure)
    return RollbackPolicy(spec.rollback)


def _delivery(spec: PlanSpec) -> Delivery:
    for delivery in (Delivery.STACK, Delivery.TERRAFORM, Delivery.CDK):
        if getattr(spec, delivery.value) is not None:
            return delivery
    return Delivery.RESOURCES
