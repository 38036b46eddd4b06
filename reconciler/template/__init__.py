"""CloudFormation templates: their intrinsic functions, evaluated in two steps, and everything around them.

``load_template`` checks a template and folds it: what is static is evaluated, what depends on a resource or on AWS
becomes a ``Deferred`` node (``fold``). Later, with live state at hand, ``resolve`` evaluates those, leaving
``Unknown`` what only an apply will tell. ``functions`` holds the functions on known values, ``evaluate`` what happens
to them when values aren't known or are secret, ``cidr`` and ``dynamic`` two of them, ``scope`` the names in force,
``parameters``, ``conditions``, ``resources`` and ``load`` the template's sections.
"""

from reconciler.template.folding import fold
from reconciler.template.load import LoadedTemplate, load_template
from reconciler.template.loops import has_loops
from reconciler.template.resolving import references, resolve, with_parameters
from reconciler.template.scope import NO_VALUE, FoldScope, Lookup, pseudo_parameters

__all__ = [
    "NO_VALUE",
    "FoldScope",
    "LoadedTemplate",
    "Lookup",
    "fold",
    "has_loops",
    "load_template",
    "pseudo_parameters",
    "references",
    "resolve",
    "with_parameters",
]
