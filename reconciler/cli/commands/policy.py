"""policy test, policy check: are the rules right, and what do they allow?"""

from __future__ import annotations

import typer

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption, Output, OutputOption
from reconciler.cli.terminal import complain, show, show_json


def test(config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Run the Rego tests (*_test.rego) of the policy directory."""
    from reconciler.policy.testing import run_tests

    directory = runtime.settings_for(config).policy.directory
    results = run_tests(directory)
    failed = [result for result in results if not result.passed]
    if output is Output.JSON:
        show_json({"passed": len(results) - len(failed), "failed": len(failed), "tests": list(results)})
    else:
        for result in failed:
            complain(f"FAILED {result.file}: {result.name}: {result.message}")
        show(f"{len(results) - len(failed)} of {len(results)} Rego tests passed")
    if not results:
        complain(f"Error: there are no tests (*_test.rego) in {directory}")
    if failed or not results:
        raise typer.Exit(1)


def check(config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Check that the policies compile (with `opa check --strict` where there is an OPA) and show the matrix."""
    from reconciler.model.errors import PolicyUnavailable
    from reconciler.policy.binary import check_strictly, opa_binary

    app = runtime.app_for(config)
    policy, binary = app.policy, opa_binary()
    problem = policy.problem
    if not problem and binary is not None:
        try:
            check_strictly(binary, app.settings.policy.directory)
        except PolicyUnavailable as error:
            problem = str(error)
    if problem:
        complain(f"Error: {problem}")
        raise typer.Exit(1)
    matrix = policy.matrix()
    if output is Output.JSON:
        show_json({"revision": policy.revision, "matrix": {name: dict(row) for name, row in matrix.items()}})
        return
    from rich.table import Table

    operations = list(dict.fromkeys(operation for row in matrix.values() for operation in row))
    table = Table(box=None, pad_edge=False)
    for column in ("environment", *operations):
        table.add_column(column)
    for environment, row in matrix.items():
        table.add_row(environment, *(str(row.get(operation, "denied")) for operation in operations))
    show(table, "", f"Policy revision {policy.revision}")


test.__test__ = False  # type: ignore[attr-defined]  # a command, whatever pytest thinks of the name
commands = (test, check)
