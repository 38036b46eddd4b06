"""AWS::EC2::KeyPair."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Many, Read, ec2_tagging

_KEY_PAIR = Declaration(
    type=TypeName("AWS::EC2::KeyPair"),
    service="ec2",
    # tags go by the id, which is read
    arn="arn:{partition}:ec2:{region}:{account}:key-pair/{KeyPairId}",
    renames={"PublicKeyMaterial": "PublicKey"},
    read=Read(
        "describe_key_pairs",
        "KeyPairs",
        constants={"IncludePublicKey": True},
        many=Many("Filters", "KeyName", 200, "key-name"),
    ),
    create=Call(
        "import_key_pair",
        ("KeyName", "KeyType", "PublicKeyMaterial"),
        {"PublicKeyMaterial": "PublicKeyMaterial"},
    ),
    delete=Call("delete_key_pair"),
    listing=Listing("describe_key_pairs", "KeyPairs", filtered=True),
    tagging=ec2_tagging("key-pair", "KeyPairId"),
    # the file format of a private key, which an imported one hasn't
    unsupported=frozenset({"KeyFormat"}),
)
_KINDS = {"ssh-rsa": "rsa", "ssh-ed25519": "ed25519"}


class KeyPair(Declared):
    """A key pair whose public key the plan has. AWS isn't asked to make one: its private key would be ours to keep."""

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``. Raises INVALID_REQUEST without a public key, or if it isn't of the type that is wanted."""
        material = str(desired.get("PublicKeyMaterial") or "")
        if not material:
            message = (
                f"{self.type_name} needs PublicKeyMaterial: this version doesn't let AWS make a key pair, because the "
                "private key would have to be kept somewhere"
            )
            raise AwsFault(FaultKind.INVALID_REQUEST, message, service="ec2", operation="ImportKeyPair")
        kind = _KINDS.get(material.split(None, 1)[0])
        wanted = desired.get("KeyType")
        if kind and wanted and wanted != kind:
            message = f"KeyType is {wanted}, but PublicKeyMaterial is an {kind} key"
            raise AwsFault(FaultKind.INVALID_REQUEST, message, service="ec2", operation="ImportKeyPair")
        return super().make(scope, desired, token)

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. AWS sees what type a key is of."""
        return {name: value for name, value in values.items() if name != "KeyType"}


PROVIDERS: tuple[ResourceProvider, ...] = (KeyPair(_KEY_PAIR),)
