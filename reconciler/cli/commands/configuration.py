"""config show: the effective configuration."""

from __future__ import annotations

import sys

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption, Output, OutputOption
from reconciler.cli.terminal import show_json


def show(config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show the effective configuration as YAML (or JSON), secrets masked."""
    data = runtime.settings_for(config).shown()
    if output is Output.JSON:
        show_json(data)
        return
    import yaml

    sys.stdout.write(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


commands = (show,)
