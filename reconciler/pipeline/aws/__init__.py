"""The types that can be written with Terraform's aws provider, by mappings that people keep (``rules`` has the words).

A type is written with one provider, whatever it sets: that the one or the other took it by its properties would move a
resource's address with an edit, and Terraform destroys what has lost its address.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.pipeline.aws import (
    building,
    cloudfront,
    clusters,
    cognito,
    firewall,
    identity,
    messaging,
    network,
    serving,
    storage,
)
from reconciler.pipeline.aws.rules import AwsType

#: The provider whose resources the mappings were checked against.
VERSION = "6.25.0"
TYPES: Mapping[str, AwsType] = {
    **network.TYPES,
    **storage.TYPES,
    **identity.TYPES,
    **messaging.TYPES,
    **serving.TYPES,
    **cloudfront.TYPES,
    **cognito.TYPES,
    **building.TYPES,
    **clusters.TYPES,
    **firewall.TYPES,
}
