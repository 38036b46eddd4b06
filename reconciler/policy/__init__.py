"""Policy: asks Rego whether a plan may be looked at and its changes made. Every doubt is a refusal.

document   the question, as plain JSON (pure)
engine     what both engines share; embedded (regopy) and opa (an OPA server)
answers    the reply, trusted only when complete and consistent
bundle     a policy directory; keeper: the last good one in force
testing    runs ``*_test.rego``
"""

from reconciler.policy.document import policy_input
from reconciler.policy.embedded import EmbeddedEngine
from reconciler.policy.engine import RegoEngine
from reconciler.policy.opa import OpaEngine

__all__ = ["EmbeddedEngine", "OpaEngine", "RegoEngine", "policy_input"]
