package reconciler_decision_test

import data.reconciler.decision
import data.reconciler_fixtures as fx

test_nonsense_is_denied if {
	every question in [{}, null, [], "x", {"plan": {}}, {"plan": null, "actions": []}] {
		answer := decision with input as question
		answer.mode == "deny"
	}
}

test_an_action_without_an_id_is_denied if {
	question := object.union(
		fx.review("sandbox", "cli_mutation", "create"),
		{"actions": [{"operation": "cli_mutation", "action": "create"}]},
	)
	answer := decision with input as question
	answer.mode == "deny"
}

test_the_answer_is_complete if {
	answer := decision with input as fx.review("sandbox", "cli_mutation", "create")
	object.keys(answer) == {"mode", "actions", "reasons", "checklist"}
	object.keys(answer.checklist) == {
		"approved",
		"guardrail",
		"environment",
		"profile_and_region",
		"permissions",
		"rollback",
	}
	count(answer.reasons) > 0
}

test_every_check_passes_where_it_applies if {
	answer := decision with input as fx.review("sandbox", "cli_mutation", "create")
	answer.mode == "apply"
	every item in answer.checklist {
		item.ok
	}
}

test_a_denied_plan_allows_no_action if {
	question := fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"rollback": "none"})
	answer := decision with input as question
	answer.mode == "deny"
	not answer.actions.A.allow
	not answer.checklist.rollback.ok
}

test_missing_permissions_are_denied if {
	question := object.union(
		fx.review("sandbox", "cli_mutation", "create"),
		{"permissions": {"missing": ["ec2:DescribeVpcs"]}},
	)
	answer := decision with input as question
	answer.mode == "deny"
	contains(answer.checklist.permissions.message, "ec2:DescribeVpcs")
}

test_a_procedure_will_do if {
	question := fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"rollback": {"procedure": "wiki"}})
	answer := decision with input as question
	answer.mode == "apply"
}

test_no_region_is_denied if {
	answer := decision with input as fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"region": ""})
	answer.mode == "deny"
	not answer.checklist.profile_and_region.ok
}

test_the_profile_is_named if {
	answer := decision with input as fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"profile": "dev-admin"})
	contains(answer.checklist.profile_and_region.message, "dev-admin")
}

listed(operations) := [fx.action(operation, operation, "create") | some operation in operations]

test_the_strictest_action_decides if {
	git := decision with input as object.union(
		fx.review("sandbox", "git", "create"),
		{"actions": listed(["cli_mutation", "git"])},
	)
	git.mode == "pipeline"
	unknown := decision with input as object.union(
		fx.review("sandbox", "git", "create"),
		{"actions": listed(["cli_mutation", "git", "console"])},
	)
	unknown.mode == "deny"
}
