package reconciler_decision_test

import data.reconciler_fixtures as fx

test_nonsense_is_denied if {
	question := fx.review("sandbox", "cli_mutation", "create")
	every changes in [{"plan": null}, {"plan": "x"}, {"actions": null}, {"actions": {}}, {"now": "soon"}, {"now": null}] {
		answer := fx.decide(object.union(question, changes))
		answer.mode == "deny"
	}
}

test_an_action_without_an_id_is_denied if {
	question := object.union(
		fx.review("sandbox", "cli_mutation", "create"),
		{"actions": [{"operation": "cli_mutation", "action": "create"}]},
	)
	answer := fx.decide(question)
	answer.mode == "deny"
}

test_the_answer_is_complete if {
	answer := fx.decide(fx.review("sandbox", "cli_mutation", "create"))
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
	answer := fx.decide(fx.review("sandbox", "cli_mutation", "create"))
	answer.mode == "apply"
	every item in answer.checklist {
		item.ok
	}
}

test_a_denied_plan_allows_no_action if {
	question := fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"rollback": "none"})
	answer := fx.decide(question)
	answer.mode == "deny"
	not answer.actions.A.allow
	not answer.checklist.rollback.ok
}

test_missing_permissions_are_denied if {
	question := object.union(
		fx.review("sandbox", "cli_mutation", "create"),
		{"permissions": {"missing": ["ec2:DescribeVpcs"]}},
	)
	answer := fx.decide(question)
	answer.mode == "deny"
	contains(answer.checklist.permissions.message, "ec2:DescribeVpcs")
}

test_a_procedure_will_do if {
	question := fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"rollback": {"procedure": "wiki"}})
	answer := fx.decide(question)
	answer.mode == "apply"
}

test_no_region_is_denied if {
	answer := fx.decide(fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"region": ""}))
	answer.mode == "deny"
	not answer.checklist.profile_and_region.ok
}

test_the_profile_is_named if {
	answer := fx.decide(fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"profile": "dev-admin"}))
	contains(answer.checklist.profile_and_region.message, "dev-admin")
}

listed(operations) := [fx.action(operation, operation, "create") | some operation in operations]

test_the_strictest_action_decides if {
	git := fx.decide(object.union(
		fx.review("sandbox", "git", "create"),
		{"actions": listed(["cli_mutation", "git"])},
	))
	git.mode == "pipeline"
	unknown := fx.decide(object.union(
		fx.review("sandbox", "git", "create"),
		{"actions": listed(["cli_mutation", "git", "console"])},
	))
	unknown.mode == "deny"
}
