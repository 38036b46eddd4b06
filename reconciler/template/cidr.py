"""``Fn::Cidr``."""

from __future__ import annotations

import ipaddress
from typing import Any

from reconciler.template.problems import FunctionError

_MAX_COUNT = 256


def cidr(block: Any, count: Any, bits: Any) -> list[str]:
    """The first ``count`` networks with ``bits`` host bits each in ``block`` (IPv4 or IPv6).

    Raises FunctionError for anything that isn't a network or number, and when the block has no room.
    """
    if not isinstance(block, str):
        raise FunctionError("Fn::Cidr: the first argument must be a CIDR block such as 10.0.0.0/16")
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError as error:
        raise FunctionError(f"Fn::Cidr: {error}") from error
    wanted = whole(count, "Fn::Cidr: the count")
    host_bits = whole(bits, "Fn::Cidr: the number of subnet bits")
    if not 1 <= wanted <= _MAX_COUNT:
        raise FunctionError(f"Fn::Cidr: the count must be from 1 to {_MAX_COUNT}, not {wanted}")
    prefix = network.max_prefixlen - host_bits
    if host_bits < 1 or prefix < network.prefixlen:
        raise FunctionError(f"Fn::Cidr: {block} can't be divided into networks of {host_bits} host bits")
    if wanted > 2 ** (prefix - network.prefixlen):
        room = 2 ** (prefix - network.prefixlen)
        raise FunctionError(f"Fn::Cidr: {block} holds {room} networks of {host_bits} host bits, not {wanted}")
    start = int(network.network_address)
    address = type(network.network_address)
    return [f"{address(start + index * 2**host_bits)}/{prefix}" for index in range(wanted)]


def whole(value: Any, what: str) -> int:
    """An integer given as number or text. Raises FunctionError naming ``what``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 10:
        return int(value)
    raise FunctionError(f"{what} must be a whole number")
