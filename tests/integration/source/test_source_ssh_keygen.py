"""Signatures against the real ssh-keygen, in both directions."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.source.signature import BadSignature, check, sign

KINDS = {
    "ed25519": ["-t", "ed25519"],
    "ecdsa-256": ["-t", "ecdsa", "-b", "256"],
    "ecdsa-384": ["-t", "ecdsa", "-b", "384"],
    "ecdsa-521": ["-t", "ecdsa", "-b", "521"],
    "rsa": ["-t", "rsa", "-b", "2048"],
    "rsa-pem": ["-t", "rsa", "-b", "2048", "-m", "PEM"],
}
PAYLOAD = '{"spec":{"plan":"dev-web","note":"é"}}'.encode()


@pytest.fixture(scope="module", autouse=True)
def keygen() -> None:
    if shutil.which("ssh-keygen") is None:
        if os.environ.get("CI"):
            pytest.fail("ssh-keygen is missing; install openssh-client")
        pytest.skip("ssh-keygen is not installed")


def run(*command: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=30)


def make_key(directory: Path, kind: str, passphrase: str = "") -> Path:
    path = directory / "key"
    made = run("ssh-keygen", "-q", *KINDS[kind], "-N", passphrase, "-C", "bob@example.com", "-f", str(path))
    assert made.returncode == 0, made.stderr
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_ssh_keygen_accepts_ours(kind: str, tmp_path: Path) -> None:
    key = make_key(tmp_path, kind)
    (tmp_path / "payload.sig").write_text(sign(PAYLOAD, key))
    (tmp_path / "allowed").write_text(f'bob@example.com namespaces="reconciler" {key.with_suffix(".pub").read_text()}')
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "allowed"), "-I", "bob@example.com"]
    command += ["-n", "reconciler", "-s", str(tmp_path / "payload.sig")]
    good = run(*command, given=PAYLOAD)
    assert good.returncode == 0, good.stderr
    assert run(*command, given=PAYLOAD + b" ").returncode != 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [[], ["-O", "hashalg=sha256"]])
def test_we_accept_ssh_keygens(kind: str, options: list[str], tmp_path: Path) -> None:
    key = make_key(tmp_path, kind)
    (tmp_path / "payload").write_bytes(PAYLOAD)
    run("ssh-keygen", "-Y", "sign", "-n", "reconciler", *options, "-f", str(key), str(tmp_path / "payload"))
    armored = (tmp_path / "payload.sig").read_text()
    shown = run("ssh-keygen", "-lf", str(key.with_suffix(".pub"))).stdout.decode()
    assert check(PAYLOAD, armored).fingerprint in shown
    with pytest.raises(BadSignature):
        check(PAYLOAD + b" ", armored)
    with pytest.raises(BadSignature, match="namespace"):
        check(PAYLOAD, armored, "git")


def test_a_key_of_ssh_keygens_with_a_passphrase(tmp_path: Path) -> None:
    key = make_key(tmp_path, "ed25519", "correct horse")
    assert check(PAYLOAD, sign(PAYLOAD, key, "correct horse"))
