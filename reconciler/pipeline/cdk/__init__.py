"""The whole desired state as a CDK app, in TypeScript or Python, on the typed (L1) classes. Pure.

It says what the CloudFormation rendering says, and synthesizes to it: ``stack`` turns that template into statements,
``values`` its values into expressions (``tree``), ``names`` knows the library's classes, ``typescript`` and ``python``
print it (``printing``), ``project`` adds what makes it a project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.model.change import ChangeSet
from reconciler.model.errors import PipelineError
from reconciler.model.plan import Plan
from reconciler.pipeline import cloudformation
from reconciler.pipeline.cdk import project, python, typescript
from reconciler.pipeline.cdk.names import class_name
from reconciler.pipeline.cdk.stack import Stack, stack_of
from reconciler.pipeline.files import RenderedFile
from reconciler.pipeline.header import HEADER

LANGUAGES = ("typescript", "python")
_StackPrinter = Callable[[Stack, str, str], str]
_ProjectPrinter = Callable[[Plan, str], tuple[RenderedFile, ...]]
_PROJECTS: Mapping[str, tuple[str, _StackPrinter, _ProjectPrinter]] = {
    "typescript": ("lib/stack.ts", typescript.stack_file, project.typescript),
    "python": ("stack.py", python.stack_file, project.python),
}
FILES = (
    "bin/app.ts",
    "lib/stack.ts",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "app.py",
    "stack.py",
    "requirements.txt",
    "cdk.json",
    ".gitignore",
    "imports.json",
)


def render(changes: ChangeSet, language: str = "typescript") -> tuple[RenderedFile, ...]:
    """A complete project; imports.json is what ``cdk import --resource-mapping`` takes.

    Raises PipelineError for another language, and, naming resource and property, for what the CDK can't express.
    """
    if language not in _PROJECTS:
        error = PipelineError(f"the CDK isn't rendered in {language}: there are {', '.join(LANGUAGES)}")
        error.retryable = False
        raise error
    plan = changes.plan
    path, print_stack, print_project = _PROJECTS[language]
    header = f"{HEADER} from plan {' '.join(plan.name.split())}: change the plan, not this file."
    stack = stack_of(cloudformation.document(changes))
    mapping = {item["LogicalResourceId"]: item["ResourceIdentifier"] for item in cloudformation.imports(changes)}
    return (
        RenderedFile(path, print_stack(stack, class_name(plan.name), header)),
        *print_project(plan, header),
        RenderedFile("imports.json", cloudformation.json_text(mapping)),
    )
