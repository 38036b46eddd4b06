"""What people get to see of a publication, and the command that opens the pull request where nothing else does."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from reconciler.model.decision import Decision
from reconciler.model.errors import PipelineError
from reconciler.model.plan import Plan
from reconciler.model.report import BranchInfo
from reconciler.pipeline import message, refs
from reconciler.pipeline.looks import Finding
from reconciler.pipeline.variables import refuse_secrets
from reconciler.pipeline.work import Work


def described(cache_dir: Path, work: Work, decision: Decision, finding: Finding, notes: Sequence[str]) -> BranchInfo:
    """Where the change stands, with the pull request's text and command. Raises PipelineError: secrets, the disk."""
    title = message.title(work.changes)
    body = message.pull_request_body(work.changes, decision, sorted(work.paths), notes)
    refuse_secrets(work.changes, [("the pull request's text", body)])
    file = _stored(cache_dir, work.plan, body)
    return BranchInfo(
        repository=refs.masked(work.address),
        base=work.base,
        branch=work.branch,
        state=finding.state,
        commit=finding.commit,
        files=tuple(sorted(work.paths)),
        title=title,
        body=body,
        command=_command(work, title, file) if finding.state == "open" else "",
        notes=tuple(notes),
    )


def _command(work: Work, title: str, file: Path) -> str:
    remote = refs.remote_of(work.address)
    if remote.host.split(".")[0] == "gitlab":
        words = ["glab", "mr", "create", "--title", title, "--source-branch", work.branch]
        words += ["--target-branch", work.base, "--repo", f"https://{remote.host}/{remote.path}"]
        return f'{shlex.join(words)} --description "$(cat {shlex.quote(str(file))})"'
    words = ["gh", "pr", "create", "--title", title, "--body-file", str(file)]
    words += ["--base", work.base, "--head", work.branch]
    project = refs.github_project(work.address)
    return shlex.join([*words, *(["--repo", project] if project else [])])


def _stored(cache_dir: Path, plan: Plan, body: str) -> Path:
    """The file that the printed command reads the pull request's text from."""
    file = cache_dir / "pull-requests" / f"{refs.slug(plan.name)}.md"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".tmp")
        partial.write_text(body, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise PipelineError(f"the pull request's text can't be stored: {error}") from error
    return file
