"""Everything of a CDK project but its stack: what is the same for every plan but for names and versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from reconciler.model.plan import Plan
from reconciler.pipeline.cdk import names
from reconciler.pipeline.cdk.python import literal as python_literal
from reconciler.pipeline.cdk.typescript import literal as typescript_literal
from reconciler.pipeline.files import RenderedFile

#: the template holds what the plan says and nothing about how it was made
_QUIET = {"versionReporting": False, "pathMetadata": False, "assetMetadata": False}


def stack_name(plan: Plan) -> str:
    """A stack's name begins with a letter."""
    return plan.name if plan.name[:1].isalpha() else f"plan-{plan.name}"


def typescript(plan: Plan, header: str) -> tuple[RenderedFile, ...]:
    """Configuration and entry point of an app in TypeScript."""
    class_name, name = names.class_name(plan.name), stack_name(plan)
    account, region = typescript_literal(plan.target.account), typescript_literal(plan.target.region)
    app = f"""// {header}
import * as cdk from 'aws-cdk-lib';
import {{ {class_name} }} from '../lib/stack';

const app = new cdk.App({{ analyticsReporting: false }});
new {class_name}(app, {typescript_literal(name)}, {{
  env: {{ account: {account}, region: {region} }},
  synthesizer: new cdk.DefaultStackSynthesizer({{ generateBootstrapVersionRule: false }}),
}});
"""
    return (
        RenderedFile("bin/app.ts", app),
        RenderedFile("cdk.json", _json({"app": "npx tsc && node dist/bin/app.js", **_QUIET})),
        *_npm(name),
        RenderedFile("tsconfig.json", _json(_TSCONFIG)),
        RenderedFile(".gitignore", f"# {header}\ncdk.out/\ndist/\nnode_modules/\n"),
    )


def python(plan: Plan, header: str) -> tuple[RenderedFile, ...]:
    """Configuration and entry point of an app in Python."""
    class_name = names.class_name(plan.name)
    account, region = python_literal(plan.target.account), python_literal(plan.target.region)
    app = f"""# {header}
import aws_cdk as cdk

from stack import {class_name}

app = cdk.App(analytics_reporting=False)
{class_name}(
    app,
    {python_literal(stack_name(plan))},
    env=cdk.Environment(account={account}, region={region}),
    synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
)
app.synth()
"""
    found = names.versions()
    requirements = f"# {header}\naws-cdk-lib=={found['aws-cdk-lib']}\nconstructs=={found['constructs']}\n"
    return (
        RenderedFile("app.py", app),
        RenderedFile("cdk.json", _json({"app": "python3 app.py", **_QUIET})),
        RenderedFile("requirements.txt", requirements),
        RenderedFile(".gitignore", f"# {header}\n.venv/\n__pycache__/\ncdk.out/\n"),
    )


def packages() -> Mapping[str, str]:
    """The npm packages of an app, with their versions."""
    document = json.loads((files(__package__) / "npm" / "package.json").read_text())
    return {**document["dependencies"], **document["devDependencies"]}


def _npm(name: str) -> tuple[RenderedFile, ...]:
    """What ``npm ci`` installs, exactly: the packages that these classes were taken from."""
    found = []
    for file in ("package.json", "package-lock.json"):
        document = json.loads((files(__package__) / "npm" / file).read_text())
        document["name"] = name
        if "packages" in document:
            document["packages"][""]["name"] = name
        found.append(RenderedFile(file, _json(document)))
    return tuple(found)


_TSCONFIG: Mapping[str, Any] = {
    "compilerOptions": {
        "target": "ES2022",
        "module": "node16",
        "moduleResolution": "node16",
        "lib": ["ES2022"],
        "types": ["node"],
        "outDir": "dist",
        "rootDir": ".",
        "strict": True,
        "noUnusedLocals": True,
        "skipLibCheck": True,
    },
    "include": ["bin", "lib"],
}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
