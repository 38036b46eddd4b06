package reconciler_guardrail_test

import data.reconciler_fixtures as fx
import data.reconciler_harness as run

verdict(guardrail, mode) := fx.case(
	fx.with_guardrail(fx.review("sandbox", "cli_mutation", "create"), guardrail),
	{"mode": mode},
)

exceptions(listed) := {"status": "exceptions", "reference": "", "exceptions": listed}

expired(moment) := object.union(fx.exception, {"expires": moment})

test_passed := run.hold([verdict({"status": "passed"}, "apply")])

test_failed_is_denied := run.hold([verdict({"status": "failed"}, "deny")])

test_failed_is_denied_for_a_branch_too := run.hold([fx.case(
	fx.with_guardrail(fx.review("production", "git", "create"), {"status": "failed"}),
	{"mode": "deny"},
)])

test_unknown_status_is_denied := run.hold([verdict(guardrail, "deny") |
	some guardrail in [{"status": "waived"}, {"status": ""}, {}, null]
])

test_documented_exceptions_pass := run.hold([verdict(exceptions([fx.exception]), "apply")])

test_no_exception_documented_is_denied := run.hold([verdict(exceptions([]), "deny")])

parts := ["rule", "reason", "approvedBy", "expires"]

test_each_part_of_an_exception_is_needed := run.hold([verdict(exceptions([object.remove(fx.exception, [key])]), "deny") |
	some key in parts
])

test_no_part_of_an_exception_may_be_empty := run.hold([
verdict(exceptions([object.union(fx.exception, {key: ""})]), "deny") |
	some key in parts
])

test_an_expired_exception_is_denied := run.hold([verdict(
	exceptions([fx.exception, expired("2026-11-23T08:59:59+00:00")]),
	"deny",
)])

test_expiry_with_z := run.hold([verdict(exceptions([expired("2026-11-23T09:00:01Z")]), "apply")])

test_the_reason_names_the_rule := run.hold([fx.case(
	fx.with_guardrail(
		fx.review("sandbox", "cli_mutation", "create"),
		exceptions([expired("2026-01-01T00:00:00+00:00")]),
	),
	{"mode": "deny", "rule": "guardrail", "says": "S3.1", "failing": ["guardrail"]},
)])
