"""Publishing to real repositories: one branch, one commit a change, nobody's work lost."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
from pipeline_builders import CANARY, creating, decision, plan_of, resource, updating, web_plan
from pipeline_remote import US, FixedClock, Remote, git

from reconciler.model.change import Action, Change, ChangeSet, FieldChange
from reconciler.model.errors import PipelineError
from reconciler.model.ids import PlanName
from reconciler.model.plan import PipelineTarget, Plan
from reconciler.model.report import BranchInfo
from reconciler.pipeline import GitOptions, GitPipeline, refs
from reconciler.pipeline.repository import Repository

BRANCH = "feature/add-prod-web"
FILES = ["imports.tf", "main.tf", "outputs.tf", "variables.tf", "versions.tf"]


def web(remote: Remote, **settings: str) -> Plan:
    plan = {key: settings.pop(key) for key in ("cidr", "name") if key in settings}
    return web_plan(**plan, pipeline=PipelineTarget(remote.url, **settings))


def publish(pipeline: GitPipeline, plan: Plan) -> BranchInfo:
    return pipeline.publish(creating(plan), decision())


def test_ten_passes_make_one_branch_and_one_commit(remote: Remote, pipeline: GitPipeline, clock: FixedClock) -> None:
    plan = web(remote)
    results = []
    for _ in range(10):
        results.append(publish(pipeline, plan))
        clock.at += timedelta(minutes=5)
    assert set(remote.heads()) == {"main", BRANCH}
    assert len(remote.log(f"main..{BRANCH}")) == 1
    assert {(item.branch, item.commit, item.state) for item in results} == {(BRANCH, remote.heads()[BRANCH], "open")}
    assert remote.files(BRANCH) == sorted(
        ["README.md", "infrastructure/prod-web/backend.tf", *(f"infrastructure/prod-web/{name}" for name in FILES)]
    )
    assert results[0].files == tuple(f"infrastructure/prod-web/{name}" for name in FILES)


def test_a_lost_cache_changes_nothing(remote: Remote, pipeline: GitPipeline, tmp_path: Path) -> None:
    first = publish(pipeline, web(remote))
    shutil.rmtree(tmp_path / "cache")
    assert publish(pipeline, web(remote)).commit == first.commit
    assert len(remote.log(f"main..{BRANCH}")) == 1


def test_a_changed_plan_is_a_second_commit_on_the_same_branch(remote: Remote, pipeline: GitPipeline) -> None:
    first = publish(pipeline, web(remote))
    second = publish(pipeline, web(remote, cidr="10.99.0.0/16"))
    assert second.branch == first.branch
    assert remote.log(f"main..{BRANCH}") == [second.commit, first.commit]
    assert "10.99.0.0/16" in remote.show(BRANCH, "infrastructure/prod-web/main.tf")


def test_a_base_that_moved_gets_the_commit_anew(remote: Remote, pipeline: GitPipeline) -> None:
    first = publish(pipeline, web(remote))
    moved = remote.push("main", {"other.txt": "more\n"})
    second = publish(pipeline, web(remote))
    assert second.commit != first.commit
    assert remote.log(f"main..{BRANCH}") == [second.commit]
    assert git(remote.path, "rev-parse", f"{BRANCH}^") == moved
    assert "other.txt" in remote.files(BRANCH)
    assert publish(pipeline, web(remote)).commit == second.commit


def test_someone_elses_commit_is_never_overwritten(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote))
    theirs = remote.push(BRANCH, {"infrastructure/prod-web/backend.tf": "# changed in the review\n"})
    # our files are as we want them: the branch stands as it is, even when the base moves on
    assert publish(pipeline, web(remote)).commit == theirs
    remote.push("main", {"other.txt": "more\n"})
    assert publish(pipeline, web(remote)).commit == theirs
    with pytest.raises(PipelineError, match=r"commit [0-9a-f]{12} by eve@example\.com, which is never overwritten"):
        publish(pipeline, web(remote, cidr="10.99.0.0/16"))
    assert remote.heads()[BRANCH] == theirs


def test_a_commit_that_only_looks_like_ours_is_not(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote))
    git(remote.work, "fetch", "-q", "origin")
    git(remote.work, "checkout", "-q", "-B", BRANCH, f"origin/{BRANCH}")
    (remote.work / "infrastructure/prod-web/main.tf").write_text("# edited\n")
    author = f"{US.name} <{US.email}>"
    git(remote.work, "commit", "-q", "-a", "--amend", "--no-edit", "--author", author)
    git(remote.work, "push", "-q", "--force", "origin", BRANCH)
    theirs = remote.heads()[BRANCH]
    with pytest.raises(PipelineError, match="never overwritten"):
        publish(pipeline, web(remote))
    assert remote.heads()[BRANCH] == theirs


def test_merged_and_a_later_change_starts_from_the_base(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote))
    remote.merge(BRANCH)
    merged = publish(pipeline, web(remote))
    assert (merged.state, merged.commit) == ("merged", remote.heads()["main"])
    later = publish(pipeline, web(remote, cidr="10.99.0.0/16"))
    assert remote.log(f"main..{BRANCH}") == [later.commit]


def test_squashed_is_merged_and_a_later_change_replaces_only_our_commit(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote))
    remote.merge(BRANCH, squash=True)
    assert publish(pipeline, web(remote)).state == "merged"
    later = publish(pipeline, web(remote, cidr="10.99.0.0/16"))
    assert remote.log(f"main..{BRANCH}") == [later.commit]


def test_remote_down_is_an_error_and_the_next_time_works(remote: Remote, pipeline: GitPipeline) -> None:
    away = remote.path.with_suffix(".away")
    remote.path.rename(away)
    with pytest.raises(PipelineError, match="git ls-remote on file://") as caught:
        publish(pipeline, web(remote))
    assert caught.value.retryable
    away.rename(remote.path)
    assert publish(pipeline, web(remote)).state == "open"


def test_a_remote_that_hangs_is_cut_off(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "ssh"
    script.write_text("#!/bin/sh\nexec sleep 30\n")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    pipeline = GitPipeline(tmp_path / "cache", clock=clock, options=GitOptions(timeout=1))
    with pytest.raises(PipelineError):
        publish(pipeline, web_plan(pipeline=PipelineTarget("git@git.example.com:x/y.git")))


def test_concurrent_plans_in_one_repository_all_land(remote: Remote, tmp_path: Path, clock: FixedClock) -> None:
    names = [f"prod-{letter}" for letter in "abcd"]
    # two processes' worth of pipelines: half share a cache, half have their own
    pipelines = [
        GitPipeline(tmp_path / f"cache{index % 2}", clock=clock, options=GitOptions(US)) for index in range(len(names))
    ]
    with ThreadPoolExecutor(len(names)) as pool:
        jobs = [
            pool.submit(publish, pipeline, web(remote, name=name))
            for name, pipeline in zip(names, pipelines, strict=True)
        ]
        results = [job.result() for job in jobs]
    assert {item.branch for item in results} == {f"feature/add-{name}" for name in names}
    for item, name in zip(results, names, strict=True):
        assert remote.log(f"main..{item.branch}") == [item.commit]
        assert [file for file in remote.files(item.branch) if f"/{name}/main.tf" in file]


def test_two_daemons_racing_for_one_branch_agree(remote: Remote, tmp_path: Path, clock: FixedClock) -> None:
    pipelines = [GitPipeline(tmp_path / f"cache{index}", clock=clock, options=GitOptions(US)) for index in range(3)]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda pipeline: publish(pipeline, web(remote)), pipelines))
    assert len(remote.log(f"main..{BRANCH}")) == 1
    assert {item.commit for item in results} == {remote.heads()[BRANCH]}


def test_a_lost_race_is_run_again(remote: Remote, pipeline: GitPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The branch appears, by the same plan on another machine, between our look and our push."""
    other = GitPipeline(remote.path.parent / "other", clock=FixedClock(), options=GitOptions(US))
    push, raced = Repository.push, []

    def racing(self: Repository, *arguments: object, **options: object) -> None:
        if not raced:
            raced.append(True)
            publish(other, web(remote, cidr="10.5.0.0/16"))
        push(self, *arguments, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(Repository, "push", racing)
    result = publish(pipeline, web(remote))
    assert remote.heads()[BRANCH] == result.commit
    assert len(remote.log(f"main..{BRANCH}")) == 2


def test_a_refused_push_is_an_error_that_says_what_the_remote_said(remote: Remote, pipeline: GitPipeline) -> None:
    hook = remote.path / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho branches are protected >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PipelineError, match="branches are protected"):
        publish(pipeline, web(remote))
    assert set(remote.heads()) == {"main"}


def test_nothing_of_the_users_configuration_or_environment_interferes(
    remote: Remote, pipeline: GitPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    marker = tmp_path / "ran"
    for name in ("pre-push", "post-commit", "reference-transaction", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\npwd >>{marker}\n")
        (hooks / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n hooksPath = {hooks}\n autocrlf = true\n[commit]\n gpgSign = true\n[init]\n templateDir = {home}\n"
        "[user]\n name = Someone\n email = someone@example.com\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(remote.work / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(remote.work))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_NAMESPACE", "elsewhere")
    result = publish(pipeline, web(remote))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE"):
        monkeypatch.delenv(name)
    assert remote.heads()[BRANCH] == result.commit
    assert git(remote.path, "log", "-1", "--format=%an <%ae> %cn <%ce>", BRANCH) == " ".join(
        [f"{US.name} <{US.email}>"] * 2
    )
    assert "\r" not in remote.show(BRANCH, "infrastructure/prod-web/main.tf")
    # the remote, being local, runs hooks of its own; our clone must not
    assert str(tmp_path / "cache") not in (marker.read_text() if marker.exists() else "")
    assert git(remote.work, "status", "--porcelain") == ""


def test_changing_the_format_removes_the_other_formats_files(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote))
    remote.merge(BRANCH)
    publish(pipeline, web(remote, format="cloudformation"))
    assert sorted(file.rsplit("/", 1)[-1] for file in remote.files(BRANCH) if "prod-web" in file) == [
        "backend.tf",
        "imports.json",
        "parameters.json",
        "template.yaml",
    ]


def test_a_file_that_people_wrote_is_not_overwritten(remote: Remote, pipeline: GitPipeline) -> None:
    remote.push("main", {"infrastructure/prod-web/main.tf": "# by hand\n"})
    with pytest.raises(PipelineError, match=r"main\.tf on main wasn't written by reconciler"):
        publish(pipeline, web(remote))
    assert set(remote.heads()) == {"main"}


def test_a_link_in_the_way_is_not_followed(remote: Remote, pipeline: GitPipeline) -> None:
    (remote.work / "elsewhere").symlink_to("/etc")
    git(remote.work, "add", "elsewhere")
    git(remote.work, "commit", "-q", "-m", "Link")
    git(remote.work, "push", "-q", "origin", "HEAD:main")
    with pytest.raises(PipelineError, match=r"elsewhere in .* isn't a directory"):
        publish(pipeline, web(remote, path="elsewhere/{plan}"))


def test_missing_base_and_missing_pipeline_are_named(remote: Remote, pipeline: GitPipeline) -> None:
    with pytest.raises(PipelineError, match="has no branch trunk"):
        publish(pipeline, web(remote, base="trunk"))
    with pytest.raises(PipelineError, match=r"set spec\.pipeline\.repository"):
        publish(pipeline, web_plan())
    with pytest.raises(PipelineError, match="are both 'main'"):
        publish(pipeline, web(remote, branch="main"))


def test_the_configured_default_is_used_where_a_plan_has_none(
    remote: Remote, clock: FixedClock, tmp_path: Path
) -> None:
    default = PipelineTarget(str(remote.path), path="live/{environment}/{plan}")
    result = publish(GitPipeline(tmp_path / "cache", clock=clock, default=default), web_plan())
    assert "live/production/prod-web/main.tf" in remote.files(result.branch)


def test_a_branch_whose_change_is_gone_is_obsolete(remote: Remote, pipeline: GitPipeline) -> None:
    plan = web(remote)
    assert pipeline.retire(plan) is None
    assert pipeline.retire(web_plan()) is None
    commit = publish(pipeline, plan).commit
    found = pipeline.retire(plan)
    assert found is not None
    assert (found.state, found.branch, found.commit) == ("obsolete", BRANCH, commit)
    assert set(remote.heads()) == {"main"}
    assert pipeline.retire(plan) is None
    assert pipeline.retire(web(remote, name="prod-other")) is None


def test_a_branch_is_kept_where_it_is_to_be_kept_or_is_not_only_ours(
    remote: Remote, pipeline: GitPipeline, tmp_path: Path, clock: FixedClock
) -> None:
    keeping = GitPipeline(tmp_path / "cache", clock=clock, options=GitOptions(US, collect=False))
    publish(keeping, web(remote))
    kept = keeping.retire(web(remote))
    assert kept is not None
    assert (kept.state, kept.notes) == ("obsolete", ())
    remote.push(BRANCH, {"review.txt": "theirs\n"})
    # one like ours on top of theirs: the newest commit alone says nothing
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in asdict(US).items()}
    who = {name.upper(): value for name, value in who.items()}
    words = ["git", "commit-tree", f"{BRANCH}^{{tree}}", "-p", BRANCH, "-m", remote.message(f"{BRANCH}^")]
    made = subprocess.run(words, cwd=remote.path, env={**os.environ, **who}, capture_output=True, text=True, check=True)
    git(remote.path, "update-ref", f"refs/heads/{BRANCH}", made.stdout.strip())
    found = pipeline.retire(web(remote))
    assert found is not None
    assert (found.state, found.notes) == ("obsolete", ())
    assert BRANCH in remote.heads()


def test_a_merged_branch_is_deleted_and_deployed_is_told_from_withdrawn(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote))
    remote.merge(BRANCH, squash=True)
    found = pipeline.retire(web(remote))
    assert found is not None
    assert (found.state, set(remote.heads())) == ("deployed", {"main"})
    publish(pipeline, web(remote, name="prod-other"))
    remote.merge("feature/add-prod-other")
    merged = publish(pipeline, web(remote, name="prod-other"))
    assert (merged.state, set(remote.heads())) == ("merged", {"main"})


def test_the_branch_of_another_action_is_replaced(remote: Remote, pipeline: GitPipeline) -> None:
    publish(pipeline, web(remote))
    fields = (FieldChange("/CidrBlock", "10.0.0.0/16", "10.20.0.0/16"),)
    update = pipeline.publish(updating(web(remote), *fields), decision())
    assert set(remote.heads()) == {"main", "feature/update-prod-web"}
    assert update.notes == ()
    remote.push(update.branch, {"review.txt": "theirs\n"})
    added = publish(pipeline, web(remote))
    assert added.notes == ("an earlier branch of this plan, feature/update-prod-web, still exists",)
    assert set(remote.heads()) == {"main", BRANCH, "feature/update-prod-web"}


def test_the_branch_of_a_plan_that_is_gone_is_deleted_by_what_was_known_of_it(
    remote: Remote, pipeline: GitPipeline, tmp_path: Path, clock: FixedClock
) -> None:
    name = PlanName("prod-web")
    known = publish(pipeline, web(remote))
    newly_started = GitPipeline(tmp_path / "other-cache", clock=clock, options=GitOptions(US))
    found = newly_started.abandon(name, known)
    assert (found.state, found.commit, found.command) == ("obsolete", known.commit, "")
    assert found.notes == ("the plan was withdrawn", f"branch {BRANCH} is deleted")
    assert set(remote.heads()) == {"main"}
    again = newly_started.abandon(name, known)
    assert (again.state, again.notes) == ("obsolete", ("the plan was withdrawn",))


def test_what_others_did_to_the_branch_of_a_plan_that_is_gone_stays(remote: Remote, pipeline: GitPipeline) -> None:
    known = publish(pipeline, web(remote))
    remote.push(BRANCH, {"review.txt": "theirs\n"})
    found = pipeline.abandon(PlanName("prod-web"), known)
    assert (found.state, found.notes[-1]) == ("obsolete", f"branch {BRANCH} is left: delete it")
    assert set(remote.heads()) == {"main", BRANCH}
    assert pipeline.abandon(PlanName("prod-other"), known).notes == found.notes
    assert set(remote.heads()) == {"main", BRANCH}


def test_an_address_whose_password_is_not_kept_is_said(pipeline: GitPipeline) -> None:
    known = BranchInfo(refs.masked("https://me:secret@git.example.com/x.git"), "main", BRANCH, "open")
    found = pipeline.abandon(PlanName("prod-web"), known)
    assert found.state == "obsolete"
    assert "held a password, which isn't kept" in found.notes[-1]


def test_a_branch_by_someone_else_is_not_reported_as_ours(remote: Remote, pipeline: GitPipeline) -> None:
    remote.push(BRANCH, {"x.txt": "theirs\n"})
    assert pipeline.retire(web(remote)) is None


def test_the_commit_message_has_the_agreed_parts(remote: Remote, pipeline: GitPipeline) -> None:
    result = publish(pipeline, web(remote))
    message = remote.message(result.commit)
    assert message.splitlines()[0] == "feat: add prod-web in production"
    assert "- create Vpc (AWS::EC2::VPC): CidrBlock 10.20.0.0/16" in message
    assert "- create Gateway (AWS::EC2::InternetGateway)" in message
    assert "Digest: sha256:" + "ab" * 32 in message
    assert "Guardrail: passed (https://ci.example.com/guardrail/4711)" in message
    assert "\nRequires: CAB approval for production deployment\n" in message
    trailers = git(remote.path, "log", "-1", "--format=%(trailers:key=Reconciler-Plan,valueonly)", result.commit)
    assert trailers.strip() == "prod-web"


def test_the_pull_request_has_its_parts_and_the_command_works(
    remote: Remote, pipeline: GitPipeline, tmp_path: Path
) -> None:
    plan = web(remote)
    fields = (FieldChange("/CidrBlock", "10.0.0.0/16", "10.20.0.0/16", forces_replacement=True, reason="plan"),)
    result = pipeline.publish(updating(plan, *fields), decision())
    for part in (
        "## Production Change: prod-web",
        "### Summary and background",
        "Network of the web tier",
        "- `infrastructure/prod-web/main.tf`",
        '-   /CidrBlock: "10.0.0.0/16"',
        '+   /CidrBlock: "10.20.0.0/16"  # forces replacement',
        "- Mode: `pipeline`",
        "production: changes go through the pipeline",
        "- [x] guardrail: passed",
        "- [ ] approval: needed at the pull request",
        "Automatic: revert the merge commit",
        "- Ticket: CAB-1234",
        "- Window: Sat 22:00-23:00 Europe/Berlin",
        "aws ec2 describe-vpcs --vpc-ids vpc-1 --region eu-central-1",
        "reconciler diff prod-web",
    ):
        assert part in result.body
    words = shlex.split(result.command)
    assert words[:4] == ["gh", "pr", "create", "--title"]
    assert Path(words[words.index("--body-file") + 1]).read_text() == result.body
    assert words[words.index("--base") + 1 :][:3] == ["main", "--head", "feature/update-prod-web"]
    stand_in = tmp_path / "bin" / "gh"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n')
    stand_in.chmod(0o755)
    shell = subprocess.run(
        ["/bin/sh", "-c", result.command],
        env={"PATH": str(stand_in.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout.splitlines() == words[1:]


def test_no_secret_in_any_file_commit_or_text(remote: Remote, pipeline: GitPipeline, tmp_path: Path) -> None:
    for layout in ("terraform", "cloudformation"):
        result = publish(pipeline, web(remote, format=layout, branch=f"{layout}/{{plan}}"))
        everything = git(remote.path, "log", "-p", "--format=%an%ae%cn%ce%B", f"main..{result.branch}")
        assert "4711" in everything  # the guardrail's reference: the search itself works
        for text in (everything, result.body, result.command, result.title, repr(result)):
            assert "canary" not in text
    for file in (tmp_path / "cache" / "pull-requests").iterdir():
        assert "canary" not in file.read_text()


def test_a_secret_repeated_in_the_clear_stops_the_publication(remote: Remote, pipeline: GitPipeline) -> None:
    plan = web(remote)
    leaky = resource("Topic", "AWS::SNS::Topic", {"DisplayName": f"password {CANARY}"})
    plan = replace(plan, resources={**plan.resources, leaky.logical_id: leaky})
    with pytest.raises(PipelineError, match="would hold a secret") as caught:
        publish(pipeline, plan)
    assert "canary" not in str(caught.value)
    in_words = replace(web(remote), description=f"the password is {CANARY}")
    with pytest.raises(PipelineError, match="would hold a secret"):
        publish(pipeline, in_words)
    assert set(remote.heads()) == {"main"}


@pytest.mark.parametrize(
    "name", ["Prod Web", "prod/web", "..", "ümläut", "a" * 200, "x;rm -rf $HOME", "-x", "new\nline"]
)
def test_odd_plan_names_make_safe_branches_and_paths(remote: Remote, pipeline: GitPipeline, name: str) -> None:
    result = publish(pipeline, web(remote, name=name))
    assert result.branch in remote.heads()
    assert all(file.startswith("infrastructure/") and ".." not in file for file in result.files)
    assert publish(pipeline, web(remote, name=name)).commit == result.commit
    found = pipeline.retire(web(remote, name=name))
    assert found is not None
    assert found.branch == result.branch


def test_text_from_a_plan_cannot_pose_as_a_trailer(remote: Remote, pipeline: GitPipeline) -> None:
    plan = replace(web(remote), description="fine\n\nReconciler-Plan: prod-other\n\u2028x")
    result = publish(pipeline, plan)
    trailers = git(remote.path, "log", "-1", "--format=%(trailers:key=Reconciler-Plan,valueonly)", result.commit)
    assert trailers.split() == ["prod-web"]


def test_deleting_everything_is_a_removal(remote: Remote, pipeline: GitPipeline) -> None:
    for layout in ("terraform", "cloudformation"):
        plan = replace(web(remote, format=layout, branch="{action}/{plan}"), absent=True)
        changes = ChangeSet(plan, tuple(Change(i.logical_id, i.type, Action.DELETE) for i in plan.resources.values()))
        result = pipeline.publish(changes, decision())
        assert result.branch == "remove/prod-web"
        main = remote.show(result.branch, result.files[1] if layout == "terraform" else result.files[-1])
        assert "AWS::EC2" not in main
        assert "awscc_" not in main
        git(remote.path, "branch", "-D", result.branch)


def test_staging_asks_for_its_own_approval(remote: Remote, pipeline: GitPipeline) -> None:
    plan = plan_of(resource("Topic", "AWS::SNS::Topic"), name="stage-web", pipeline=PipelineTarget(remote.url))
    plan = replace(plan, target=replace(plan.target, environment="staging"))
    message = remote.message(publish(pipeline, plan).commit)
    assert "Requires: review approval for staging deployment" in message
    assert "CAB" not in message


def test_credentials_in_an_address_are_masked_everywhere(tmp_path: Path, clock: FixedClock) -> None:
    pipeline = GitPipeline(tmp_path / "cache", clock=clock, options=GitOptions(timeout=20))
    plan = web_plan(pipeline=PipelineTarget("https://bot:t0p-s3cret@127.0.0.1:9/x/y.git"))
    with pytest.raises(PipelineError) as caught:
        publish(pipeline, plan)
    assert "t0p-s3cret" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value}"
    assert "https://***@127.0.0.1:9/x/y.git" in str(caught.value)
