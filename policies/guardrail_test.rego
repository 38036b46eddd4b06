package reconciler_guardrail_test

import data.reconciler_fixtures as fx

mode(guardrail) := answer.mode if {
	answer := fx.decide(fx.with_guardrail(fx.review("sandbox", "cli_mutation", "create"), guardrail))
}

exceptions(listed) := {"status": "exceptions", "reference": "", "exceptions": listed}

test_passed if mode({"status": "passed"}) == "apply"

test_failed_is_denied if mode({"status": "failed"}) == "deny"

test_failed_is_denied_for_a_branch_too if {
	answer := fx.decide(fx.with_guardrail(fx.review("production", "git", "create"), {"status": "failed"}))
	answer.mode == "deny"
}

test_unknown_status_is_denied if {
	mode({"status": "waived"}) == "deny"
	mode({"status": ""}) == "deny"
	mode({}) == "deny"
	mode(null) == "deny"
}

test_documented_exceptions_pass if mode(exceptions([fx.exception])) == "apply"

test_no_exception_documented_is_denied if mode(exceptions([])) == "deny"

test_each_part_of_an_exception_is_needed if {
	every key in ["rule", "reason", "approvedBy", "expires"] {
		mode(exceptions([object.remove(fx.exception, [key])])) == "deny"
		mode(exceptions([object.union(fx.exception, {key: ""})])) == "deny"
	}
}

test_an_expired_exception_is_denied if {
	old := object.union(fx.exception, {"expires": "2026-11-23T08:59:59+00:00"})
	mode(exceptions([fx.exception, old])) == "deny"
}

test_expiry_with_z if mode(exceptions([object.union(fx.exception, {"expires": "2026-11-23T09:00:01Z"})])) == "apply"

test_the_reason_names_the_rule if {
	old := object.union(fx.exception, {"expires": "2026-01-01T00:00:00+00:00"})
	question := fx.with_guardrail(fx.review("sandbox", "cli_mutation", "create"), exceptions([old]))
	answer := fx.decide(question)
	some reason in answer.reasons
	reason.rule == "guardrail"
	contains(reason.message, "S3.1")
	not answer.checklist.guardrail.ok
}
