"""SSH signatures (``ssh-keygen -Y sign``): made and checked in this process, with no OpenSSH needed.

The format is OpenSSH's PROTOCOL.sshsig. Ed25519, ECDSA (NIST curves) and RSA from 2,048 bits up; RSA signs with
SHA-2 only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from reconciler.model.errors import ConfigurationError

NAMESPACE = "reconciler"

_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_MIN_RSA_BITS = 2048

_PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class BadSignature(Exception):
    """The signature can't be accepted; the message says why."""


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A public key, as its wire form."""

    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


def sign(payload: bytes, key_path: Path, passphrase: str | None = None, namespace: str = NAMESPACE) -> str:
    """An armored SSH signature of ``payload`` by the private key in a file.

    Raises ConfigurationError: no such key, wrong passphrase, a kind of key that can't sign here.
    """
    key = _load_private_key(key_path, passphrase)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()
    message = _to_be_signed(namespace.encode(), b"sha512", payload)
    blob = (
        _MAGIC
        + struct.pack(">I", 1)
        + _string(base64.b64decode(public[1]))
        + _string(namespace.encode())
        + _string(b"")
        + _string(b"sha512")
        + _string(_sign_with(key, public[0], message))
    )
    text = base64.b64encode(blob).decode()
    return "\n".join([_BEGIN, *(text[at : at + 70] for at in range(0, len(text), 70)), _END, ""])


def check(payload: bytes, armored: str, namespace: str = NAMESPACE) -> SignedBy:
    """The key that made ``armored`` over ``payload``. Whether it is anyone's is for allowed_signers to say.

    Raises BadSignature.
    """
    reader = _Reader(_dearmored(armored))
    reader.expect(_MAGIC)
    if (found := reader.number()) != 1:
        raise BadSignature(f"SSH signature format {found} is not supported")
    blob, signed_for, _, hash_name, signature = (reader.string() for _ in range(5))
    reader.finish()
    if signed_for != namespace.encode():
        raise BadSignature(
            f"it was signed for the namespace {signed_for.decode(errors='replace')!r}, not {namespace!r}"
        )
    if hash_name not in _HASHES:
        raise BadSignature(f"its hash {hash_name.decode(errors='replace')!r} is not accepted")
    _verify_with(blob, signature, _to_be_signed(signed_for, hash_name, payload))
    return SignedBy(blob)


def _to_be_signed(namespace: bytes, hash_name: bytes, payload: bytes) -> bytes:
    digest = _HASHES[hash_name](payload).digest()
    return _MAGIC + _string(namespace) + _string(b"") + _string(hash_name) + _string(digest)


def _load_private_key(path: Path, passphrase: str | None) -> _PrivateKey:
    try:
        data = path.read_bytes()
        load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
        key = load(data, passphrase.encode() if passphrase else None)
    except OSError as error:
        raise ConfigurationError(f"the key {path} can't be read: {error.strerror}") from None
    except UnsupportedAlgorithm as error:
        raise ConfigurationError(f"the key {path} can't be used: {error}") from None
    except (ValueError, TypeError):
        hint = "the passphrase is wrong or" if passphrase else "it needs a passphrase, or"
        raise ConfigurationError(f"the key {path} can't be read: {hint} it is not a private key") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _MIN_RSA_BITS:
        raise ConfigurationError(f"the key {path} has fewer than {_MIN_RSA_BITS} bits")
    if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ConfigurationError(f"the key {path} is of a kind that can't sign here; use ed25519, ecdsa or rsa")
    return key


def _sign_with(key: _PrivateKey, kind: bytes, message: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _string(kind) + _string(key.sign(message))
    if isinstance(key, rsa.RSAPrivateKey):
        return _string(b"rsa-sha2-512") + _string(key.sign(message, padding.PKCS1v15(), hashes.SHA512()))
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(_curve_hash(key.curve))))
    return _string(kind) + _string(_mpint(r) + _mpint(s))


def _verify_with(blob: bytes, signature: bytes, message: bytes) -> None:
    kind = _Reader(blob).string()
    outer = _Reader(signature)
    scheme, raw = outer.string(), outer.string()
    outer.finish()
    try:
        key = load_ssh_public_key(kind + b" " + base64.b64encode(blob))
    except (ValueError, UnsupportedAlgorithm):
        raise BadSignature(f"its key is of the kind {kind.decode(errors='replace')!r}, which is not accepted") from None
    try:
        if isinstance(key, ed25519.Ed25519PublicKey) and scheme == kind:
            key.verify(raw, message)
        elif isinstance(key, ec.EllipticCurvePublicKey) and scheme == kind:
            numbers = _Reader(raw)
            der = utils.encode_dss_signature(numbers.mpint(), numbers.mpint())
            numbers.finish()
            key.verify(der, message, ec.ECDSA(_curve_hash(key.curve)))
        elif isinstance(key, rsa.RSAPublicKey) and scheme in (b"rsa-sha2-512", b"rsa-sha2-256"):
            if key.key_size < _MIN_RSA_BITS:
                raise BadSignature(f"its RSA key has fewer than {_MIN_RSA_BITS} bits")
            digest = hashes.SHA512() if scheme == b"rsa-sha2-512" else hashes.SHA256()
            key.verify(raw, message, padding.PKCS1v15(), digest)
        else:
            raise BadSignature(f"its scheme {scheme.decode(errors='replace')!r} is not accepted")
    except InvalidSignature:
        raise BadSignature("it doesn't belong to this content") from None


def _curve_hash(curve: ec.EllipticCurve) -> hashes.HashAlgorithm:
    """RFC 5656, 6.2.1."""
    if curve.key_size <= 256:
        return hashes.SHA256()
    return hashes.SHA384() if curve.key_size <= 384 else hashes.SHA512()


def _dearmored(armored: str) -> bytes:
    lines = [line.strip() for line in armored.strip().splitlines()]
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        raise BadSignature("it is not an SSH signature")
    try:
        return base64.b64decode("".join(lines[1:-1]), validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("it is not an SSH signature (bad base64)") from None


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _mpint(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


class _Reader:
    """SSH's wire encoding, strictly: what is cut short or left over is an error."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise BadSignature("it is cut short")
        self._at += count
        return self._data[self._at - count : self._at]

    def expect(self, data: bytes) -> None:
        if self._take(len(data)) != data:
            raise BadSignature("it is not an SSH signature")

    def number(self) -> int:
        return int(struct.unpack(">I", self._take(4))[0])

    def string(self) -> bytes:
        return self._take(self.number())

    def mpint(self) -> int:
        number = int.from_bytes(self.string(), "big", signed=True)
        if number < 0:
            raise BadSignature("it holds a negative number")
        return number

    def finish(self) -> None:
        if self._at != len(self._data):
            raise BadSignature("it is followed by something else")
