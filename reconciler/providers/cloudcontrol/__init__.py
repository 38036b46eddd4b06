"""The Cloud Control provider: every type that has handlers and no native provider, by its schema alone.

``provider`` is the port's implementation, ``locating`` finds resources by place and by tags, ``patches`` writes an
update as a JSON patch, ``shapes`` puts values into the schema's types, ``progress`` understands what AWS says of a
request.
"""

from reconciler.providers.cloudcontrol.provider import CloudControl

__all__ = ["CloudControl"]
