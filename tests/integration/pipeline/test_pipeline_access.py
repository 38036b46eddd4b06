"""How remotes are reached: by a real server over HTTPS that asks for credentials and protects its main branch; by keys;
in part where the remote serves parts; signed where that is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pipeline_builders import creating, decision, web_plan
from pipeline_remote import US, FixedClock, Remote, git

from reconciler.model.errors import PipelineError
from reconciler.model.plan import PipelineTarget, Plan
from reconciler.model.report import BranchInfo
from reconciler.pipeline import Credentials, GitOptions, GitPipeline, Signing, TokenSource
from reconciler.pipeline.repository import Repository
from reconciler.testing.gitserver import GitServer

TOKEN = "git-token-t0ps3cret"
LOOPBACK = frozenset({"127.0.0.1"})
BRANCH = "feature/add-prod-web"


@pytest.fixture
def server(remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    with GitServer(remote.path.parent, TOKEN, tmp_path) as made:
        made.protect("infra.git")
        monkeypatch.setenv("GIT_SSL_CAINFO", str(made.certificate))
        monkeypatch.setenv("INFRA_TOKEN", TOKEN)
        yield made


def plan_at(address: str, **target: str) -> Plan:
    cidr = target.pop("cidr", "10.20.0.0/16")
    return web_plan(cidr=cidr, pipeline=PipelineTarget(address, **target))


def pipeline_for(tmp_path: Path, **options: Any) -> GitPipeline:
    options.setdefault("credentials", Credentials(LOOPBACK, token=TokenSource("INFRA_TOKEN")))
    return GitPipeline(tmp_path / "cache", clock=FixedClock(), options=GitOptions(US, timeout=30, **options))


def publish(pipeline: GitPipeline, plan: Plan) -> BranchInfo:
    return pipeline.publish(creating(plan), decision())


# tokens and keys


def test_a_token_opens_the_way_and_is_stored_nowhere(
    server: GitServer, remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    real = shutil.which("git")
    (tmp_path / "bin").mkdir()
    spy = tmp_path / "bin" / "git"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{calls}\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f"[credential]\n helper = store --file={home}/stored\n")
    monkeypatch.setenv("HOME", str(home))
    pipeline = pipeline_for(tmp_path)
    address = f"{server.address}/infra.git"
    info = publish(pipeline, plan_at(address))
    assert remote.heads()[BRANCH] == info.commit
    assert publish(pipeline, plan_at(address)).commit == info.commit
    assert pipeline.retire(plan_at(address)) is not None
    assert any("ls-remote" in line for line in calls.read_text().splitlines())
    assert any(line.endswith(" x-access-token") for line in server.requests)
    for place in (tmp_path / "cache", home, calls):
        for file in [place] if place.is_file() else [found for found in place.rglob("*") if found.is_file()]:
            assert TOKEN.encode() not in file.read_bytes(), file
    assert TOKEN not in repr(info)


def test_a_password_in_an_address_is_taken_out_of_it(server: GitServer, remote: Remote, tmp_path: Path) -> None:
    pipeline = pipeline_for(tmp_path, credentials=Credentials())
    info = publish(pipeline, plan_at(server.address.replace("//", f"//deployer:{TOKEN}@") + "/infra.git"))
    assert remote.heads()[BRANCH] == info.commit
    assert {line.rsplit(" ", 1)[1] for line in server.requests} == {"-", "deployer"}
    assert TOKEN not in repr(info)


@pytest.mark.parametrize(
    ("token", "hosts", "words"),
    [
        ("wrong-token-12345", LOOPBACK, "Authentication failed"),
        (TOKEN, frozenset({"git.example.com"}), "could not read Username"),
    ],
    ids=["wrong", "another host's"],
)
def test_without_the_right_token_nothing_works_and_the_error_says_where_to_look(
    server: GitServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    hosts: frozenset[str],
    words: str,
) -> None:
    monkeypatch.setenv("INFRA_TOKEN", token)
    monkeypatch.delenv("GIT_ASKPASS", raising=False)
    pipeline = pipeline_for(tmp_path, credentials=Credentials(hosts, token=TokenSource("INFRA_TOKEN")))
    with pytest.raises(PipelineError, match=words) as caught:
        publish(pipeline, plan_at(f"{server.address}/infra.git"))
    assert "pipeline.credentials: is it there, in force, and for this host?" in str(caught.value)
    assert token not in str(caught.value)
    assert all(line.endswith(" -") for line in server.requests)


def test_a_token_that_is_not_there_is_named(server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INFRA_TOKEN")
    with pytest.raises(PipelineError, match=r"no usable token in \$INFRA_TOKEN"):
        publish(pipeline_for(tmp_path), plan_at(f"{server.address}/infra.git"))
    assert server.requests == []


def test_the_helper_answers_for_its_host_alone(tmp_path: Path) -> None:
    from reconciler.pipeline.refs import remote_of

    remote = remote_of("https://git.example.com/x/y.git")
    file = tmp_path / "token"
    file.write_text(TOKEN)
    given = Credentials(frozenset({"git.example.com"}), token=TokenSource(file=file)).environment(remote, tmp_path)

    def asked(question: str) -> str:
        words = [given["GIT_ASKPASS"], question]
        return subprocess.run(words, env=dict(given), capture_output=True, text=True, check=False).stdout.strip()

    assert asked("Password for 'https://x-access-token@git.example.com': ") == TOKEN
    assert asked("Username for 'https://git.example.com': ") == "x-access-token"
    for elsewhere in ("git.example.com.evil.org", "evil.org", "evil-git.example.com", "git.example.com:444"):
        assert asked(f"Password for 'https://x-access-token@{elsewhere}': ") == "", elsewhere
    assert asked("Enter passphrase for key '/home/me/.ssh/id_ed25519': ") == ""


def test_a_deploy_key_is_named_to_ssh_for_its_hosts(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ssh itself is a stand-in here, which notes its arguments and runs the other side by itself."""
    stand_in = tmp_path / "bin" / "ssh"
    stand_in.parent.mkdir()
    log = tmp_path / "ssh.log"
    stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{log}\nfor last; do :; done\nexec sh -c "$last"\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    key = tmp_path / "a key"
    credentials = Credentials(frozenset({"git.example.com"}), ssh_key=key)
    address = f"ssh://git@git.example.com{remote.path}"
    info = publish(pipeline_for(tmp_path, credentials=credentials), plan_at(address))
    assert remote.heads()[BRANCH] == info.commit
    assert all(f"-i {key} " in line and "IdentitiesOnly=yes" in line for line in log.read_text().splitlines())
    log.write_text("")
    publish(pipeline_for(tmp_path, credentials=credentials), plan_at(address.replace("git.example", "other.example")))
    assert str(key) not in log.read_text()


# what the remote refuses


def test_a_hook_that_protects_a_branch_is_quoted(server: GitServer, remote: Remote, tmp_path: Path) -> None:
    remote.push("trunk", {"x": "x"})
    with pytest.raises(PipelineError, match="main is protected: open a pull request"):
        # a branch template that leads to the protected branch
        publish(pipeline_for(tmp_path), plan_at(f"{server.address}/infra.git", base="trunk", branch="main"))
    assert git(remote.path, "log", "-1", "--format=%an", "main") == "Eve"


def test_a_renamed_default_branch_is_named(remote: Remote, tmp_path: Path) -> None:
    git(remote.path, "branch", "-m", "main", "trunk")
    git(remote.path, "symbolic-ref", "HEAD", "refs/heads/trunk")
    with pytest.raises(PipelineError, match="has no branch main; its default branch is trunk: correct") as caught:
        publish(pipeline_for(tmp_path), plan_at(remote.url))
    assert not caught.value.retryable
    assert publish(pipeline_for(tmp_path), plan_at(remote.url, base="trunk")).state == "open"


def test_files_that_the_repository_keeps_in_lfs_are_refused(remote: Remote, tmp_path: Path) -> None:
    lfs = "filter=lfs diff=lfs merge=lfs -text"
    remote.push("main", {".gitattributes": "*.psd " + lfs, "infrastructure/.gitattributes": f"*.tf {lfs}\n"})
    pipeline = pipeline_for(tmp_path)
    with pytest.raises(PipelineError, match=r"keeps infrastructure/prod-web/\w+\.tf in Git LFS") as caught:
        publish(pipeline, plan_at(remote.url))
    assert not caught.value.retryable
    assert set(remote.heads()) == {"main"}
    remote.push("main", {"infrastructure/prod-web/.gitattributes": "*.tf -filter -diff -merge text\n"})
    assert publish(pipeline, plan_at(remote.url)).state == "open"


# in part


@pytest.fixture
def parts(remote: Remote) -> Remote:
    """A remote with a history and big files, which serves parts."""
    git(remote.path, "config", "uploadpack.allowFilter", "true")
    for number in range(5):
        remote.push(
            "main", {f"big/{number}.bin": f"{number}" * 200_000, "infrastructure/prod-web/notes.md": f"{number}"}
        )
    return remote


def clone_of(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache" / "repositories").glob("*.git")
    return found


def missing(clone: Path) -> int:
    words = ["git", f"--git-dir={clone}", "rev-list", "--objects", "--all", "--missing=print"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return sum(line.startswith("?") for line in done.stdout.splitlines())


def test_the_clone_has_no_history_and_no_contents_that_nobody_asked_for(parts: Remote, tmp_path: Path) -> None:
    pipeline = pipeline_for(tmp_path)
    first = publish(pipeline, plan_at(parts.url))
    clone = clone_of(tmp_path)
    assert (clone / "shallow").exists()
    assert missing(clone) == 6  # five big files and the readme; the plan's own directory is there
    assert str(parts.path) not in (clone / "config").read_text()
    parts.push("main", {"other.txt": "more\n"})
    second = publish(pipeline, plan_at(parts.url))
    assert second.commit != first.commit
    assert parts.log(f"main..{BRANCH}") == [second.commit]
    assert "infrastructure/prod-web/main.tf" in parts.files(BRANCH)
    assert "big/4.bin" in parts.files(BRANCH)


@pytest.mark.parametrize("squash", [False, True], ids=["merge", "squash"])
def test_a_shallow_clone_knows_what_was_merged(parts: Remote, tmp_path: Path, squash: bool) -> None:
    pipeline = pipeline_for(tmp_path, collect=False)
    publish(pipeline, plan_at(parts.url))
    parts.merge(BRANCH, squash=squash)
    for number in range(3):
        parts.push("main", {f"later/{number}": "x"})
    shutil.rmtree(tmp_path / "cache")
    again = publish(pipeline_for(tmp_path, collect=False), plan_at(parts.url))
    assert again.state == "merged"
    later = publish(pipeline_for(tmp_path), plan_at(parts.url, cidr="10.99.0.0/16"))
    assert parts.log(f"main..{BRANCH}") == [later.commit]


def test_a_shallow_clone_sees_the_commits_of_others_beneath_ours(parts: Remote, tmp_path: Path) -> None:
    """The newest commit of the branch looks like ours; those below it are out of sight at first."""
    publish(pipeline_for(tmp_path), plan_at(parts.url))
    parts.push(BRANCH, {"review.txt": "theirs\n"})
    message = parts.message(f"{BRANCH}^")
    words = ["git", "commit-tree", f"{BRANCH}^{{tree}}", "-p", BRANCH, "-m", message]
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in
           (("NAME", US.name), ("EMAIL", US.email))}  # fmt: skip
    made = subprocess.run(words, cwd=parts.path, env={**os.environ, **who}, capture_output=True, text=True, check=True)
    git(parts.path, "update-ref", f"refs/heads/{BRANCH}", made.stdout.strip())
    parts.push("main", {"other.txt": "more\n"})
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(PipelineError, match=r"by eve@example\.com, which is never overwritten"):
        publish(pipeline_for(tmp_path), plan_at(parts.url, cidr="10.99.0.0/16"))
    assert parts.heads()[BRANCH] == made.stdout.strip()


def test_a_base_that_was_rewritten_below_the_clones_history(parts: Remote, tmp_path: Path) -> None:
    pipeline = pipeline_for(tmp_path)
    publish(pipeline, plan_at(parts.url))
    git(parts.path, "update-ref", "refs/heads/main", git(parts.path, "rev-parse", "main~2"))
    with pytest.raises(PipelineError, match="never overwritten"):
        publish(pipeline, plan_at(parts.url, cidr="10.99.0.0/16"))


def test_a_clone_that_has_grown_is_made_anew(
    parts: Remote, tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.pipeline.repository._LOOSE", 256)
    pipeline = GitPipeline(tmp_path / "cache", clock=clock, options=GitOptions(US, freshness=3600))
    first = publish(pipeline, plan_at(parts.url))
    sample = clone_of(tmp_path) / "objects" / "17"
    sample.mkdir(exist_ok=True)
    for number in range(3):
        (sample / f"{number:038d}").write_text("not one of ours")
    assert publish(pipeline, plan_at(parts.url)).commit == first.commit
    assert not list(clone_of(tmp_path).glob("objects/17/000*"))
    later = publish(pipeline, plan_at(parts.url, cidr="10.99.0.0/16"))
    assert parts.log(f"main..{BRANCH}") == [later.commit, first.commit]


# looks are shared


def test_a_look_is_shared_for_a_moment_and_never_pushed_on(
    remote: Remote, tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    real = Repository.heads
    monkeypatch.setattr(Repository, "heads", lambda self: looks.append("look") or real(self))
    pipeline = GitPipeline(tmp_path / "cache", clock=clock, options=GitOptions(US, freshness=5))
    names = [f"prod-{letter}" for letter in "abcde"]
    plans = [web_plan(name=name, pipeline=PipelineTarget(remote.url)) for name in names]
    for plan in plans:
        publish(pipeline, plan)
    clock.at = clock.at.replace(hour=10)
    looks.clear()
    commits = [publish(pipeline, plan).commit for plan in plans]
    assert len(looks) == 1
    assert commits == [remote.heads()[f"feature/add-{name}"] for name in names]
    # somebody else's commit, not seen yet: a changed plan looks again before it pushes
    theirs = remote.push("feature/add-prod-a", {"infrastructure/prod-a/main.tf": "# edited\n"})
    with pytest.raises(PipelineError, match="never overwritten"):
        publish(pipeline, replace(plans[0], resources=web_plan(name="prod-a", cidr="10.9.0.0/16").resources))
    assert remote.heads()["feature/add-prod-a"] == theirs
    assert len(looks) > 1


# signatures


def test_commits_are_signed_with_an_ssh_key(remote: Remote, tmp_path: Path) -> None:
    key = tmp_path / "signing_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    unsigned = publish(pipeline_for(tmp_path), plan_at(remote.url))
    pipeline = pipeline_for(tmp_path, signing=Signing("ssh", str(key)))
    info = publish(pipeline, plan_at(remote.url))
    assert info.commit != unsigned.commit
    assert remote.log(f"main..{BRANCH}") == [info.commit]
    assert publish(pipeline, plan_at(remote.url)).commit == info.commit
    signers = tmp_path / "signers"
    signers.write_text(f"{US.email} {key.with_suffix('.pub').read_text()}")
    check = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", info.commit]
    git(remote.path, *check)
    signers.write_text("")
    with pytest.raises(AssertionError):
        git(remote.path, *check)


def test_commits_are_signed_with_gpg(remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("gpg") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("gpg is missing")
        pytest.skip("no gpg on this machine")
    home = Path(
        subprocess.run(["mktemp", "-d", "/tmp/gpg.XXXXXX"], capture_output=True, text=True, check=True).stdout.strip()
    )
    try:
        home.chmod(0o700)
        monkeypatch.setenv("GNUPGHOME", str(home))
        words = [
            "gpg",
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-gen-key",
            US.email,
            "ed25519",
            "sign",
            "never",
        ]
        subprocess.run(words, check=True, capture_output=True)
        info = publish(pipeline_for(tmp_path, signing=Signing("gpg", US.email)), plan_at(remote.url))
        git(remote.path, "verify-commit", info.commit)
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def test_a_key_that_cannot_sign_publishes_nothing(remote: Remote, tmp_path: Path) -> None:
    pipeline = pipeline_for(tmp_path, signing=Signing("ssh", str(tmp_path / "absent")))
    with pytest.raises(PipelineError, match=r"git commit-tree on .* failed"):
        publish(pipeline, plan_at(remote.url))
    assert set(remote.heads()) == {"main"}


def test_the_command_for_gitlab() -> None:
    from reconciler.pipeline.describing import _command

    class Work:
        address, branch, base = "https://gitlab.example.com/a/b/c.git", "feature/x", "main"

    words = _command(Work(), "feat: it's", Path("/x/y.md"))  # type: ignore[arg-type]  # what it looks at
    assert words == (
        "glab mr create --title 'feat: it'\"'\"'s' --source-branch feature/x --target-branch main "
        '--repo https://gitlab.example.com/a/b/c --description "$(cat /x/y.md)"'
    )
