# Approvals of exactly one change, and of rollbacks.
package reconciler_exact_test

import data.reconciler_fixtures as fx
import data.reconciler_harness as run

# The approvals section with an `exact` list for an environment.
listing(environment, actions) := {"approvals": fx.replaced(data.approvals, environment, {"exact": actions})}

destructive := ["replace", "delete"]

given(question, approvals) := fx.with_keys(question, {"approvals": approvals})

developing(action, approvals) := given(fx.review("development", "cli_mutation", action), approvals)

# A development change under `exact: [replace, delete]`.
under(action, approvals, expect) := fx.case_under(
	listing("development", destructive),
	developing(action, approvals),
	expect,
)

any_of(scope) := fx.approval("bob@example.com", scope)

exact_of(scope) := fx.exactly("bob@example.com", scope)

test_an_approval_of_any_change_wont_do := run.hold([under(action, [any_of([action])], {
	"mode": "wait",
	"allow": {"A": false},
	"says": "`reconciler approve web --change`",
}) |
	some action in destructive
])

test_one_of_exactly_this_change_will_do := run.hold([under(action, [exact_of([action])], {"mode": "apply"}) |
	some action in destructive
])

test_it_must_name_the_scope := run.hold([under(
	"delete",
	[exact_of(["replace"]), any_of(["delete"])],
	{"mode": "wait", "says": "exactly this change, scope delete"},
)])

test_it_must_be_verified := run.hold([under(
	"delete",
	[object.union(exact_of(["delete"]), {"verified": false, "reason": "it approves the change x, this is y"})],
	{"mode": "wait", "says": "it approves the change x"},
)])

test_its_author_may_not_give_it := run.hold([under(
	"delete",
	[fx.exactly("alice@example.com", ["delete"])],
	{"mode": "wait"},
)])

test_what_isnt_listed_needs_none := run.hold([under("create", [any_of(["create"])], {"mode": "apply"})])

test_it_counts_where_none_is_needed := run.hold([under("create", [exact_of(["create"])], {"mode": "apply"})])

both(approvals) := fx.case_under(
	{"approvals": fx.replaced(data.approvals, "development", {"required": 2, "exact": ["delete"]})},
	developing("delete", approvals),
	{"mode": "wait"},
)

test_as_many_as_required := run.hold([
	both([exact_of(["delete"]), fx.approval("carol@example.com", ["delete"])]),
	both([exact_of(["delete"]), exact_of(["delete"])]),
])

test_none_is_listed_as_shipped := run.hold([fx.case(developing("delete", [any_of(["delete"])]), {"mode": "apply"})])

test_listed_actions_need_it_even_where_the_matrix_allows := run.hold([
	fx.case_under(listing("sandbox", ["delete"]), fx.review("sandbox", "cli_mutation", "delete"), {"mode": "wait"}),
	fx.case_under(listing("sandbox", ["delete"]), fx.review("sandbox", "cli_mutation", "create"), {"mode": "apply"}),
])

test_a_branch_needs_none := run.hold([fx.case_under(
	listing("production", destructive),
	fx.review("production", "cli_mutation", "delete"),
	{"mode": "pipeline"},
)])

test_a_list_that_cant_be_understood_means_everything := run.hold([fx.case_under(
	listing("development", actions),
	developing("create", [any_of(["create"])]),
	{"mode": "wait"},
) |
	some actions in ["delete", true, false, 1, {}, ["deletes"], [["delete"]], [null]]
])

test_null_is_an_empty_list := run.hold([fx.case_under(
	listing("development", null),
	developing("delete", [any_of(["delete"])]),
	{"mode": "apply"},
)])

test_absent_needs_it_too := run.hold([
	fx.case_under(listing("development", ["delete"]), fx.with_plan(developing("delete", [any_of(["delete"])]), {"state": "absent"}), {"mode": "wait"}),
	fx.case_under(listing("development", ["delete"]), fx.with_plan(developing("delete", [exact_of(["delete"])]), {"state": "absent"}), {"mode": "apply"}),
])

back(environment, action, approvals) := given(fx.rollback(environment, "cli_mutation", action), approvals)

test_a_rollback_needs_an_approval_everywhere := run.hold([fx.case(
	back(environment, action, [any_of(["create", "update", "delete", "replace"])]),
	{"mode": "wait", "says": "with scope rollback", "failing": ["approved"]},
) |
	some environment in ["sandbox", "development"]
	some action in ["create", "update", "delete"]
])

test_a_rollback_with_one_goes_through := run.hold([fx.case(
	back(environment, action, [any_of(["rollback"])]),
	{"mode": "apply", "checklist": {"approved": {"ok": true, "message": "Approved by bob@example.com."}}},
) |
	some environment in ["sandbox", "development"]
	some action in ["create", "update", "delete"]
])

test_a_rollback_to_production_goes_to_a_branch := run.hold([fx.case(
	back("production", "delete", []),
	{"mode": "pipeline"},
)])

test_rollbacks_may_be_left_to_the_matrix := run.hold([
	fx.case_under(
		{"approvals": fx.replaced(data.approvals, "sandbox", {"rollback": false})},
		back("sandbox", "update", []),
		{"mode": "apply"},
	),
	fx.case_under(
		{"approvals": fx.replaced(data.approvals, "development", {"rollback": false})},
		back("development", "update", []),
		{"mode": "wait"},
	),
])

test_only_false_leaves_them_to_the_matrix := run.hold([fx.case_under(
	{"approvals": fx.replaced(data.approvals, "sandbox", {"rollback": value})},
	back("sandbox", "update", []),
	{"mode": "wait"},
) |
	some value in [null, 0, "false", "no", []]
])

# What a rollback deletes is deleted, so it counts as that.
test_a_rollback_that_deletes_needs_the_exact_change := run.hold([
	fx.case_under(
		listing("development", ["delete"]),
		back("development", "delete", [any_of(["rollback"])]),
		{"mode": "wait", "says": "the delete of a rollback"},
	),
	fx.case_under(
		listing("development", ["delete"]),
		back("development", "delete", [exact_of(["rollback"])]),
		{"mode": "apply"},
	),
	fx.case_under(
		listing("development", ["delete"]),
		back("development", "update", [any_of(["rollback"])]),
		{"mode": "apply"},
	),
])

many := [object.union(fx.action(id, "cli_mutation", "delete"), {"action": "rollback"}) |
	some id in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]
]

test_a_rollbacks_deletions_are_counted := run.hold([fx.case(
	fx.with_keys(back("development", "delete", [any_of(["rollback"])]), {"actions": many}),
	{"mode": "deny", "rule": "blast_radius"},
)])

test_an_unknown_original_is_denied := run.hold([fx.case(
	fx.with_keys(
		back("sandbox", "delete", [any_of(["rollback"])]),
		{"actions": [object.union(fx.action("A", "cli_mutation", "rollback"), {"original": original})]},
	),
	{"mode": "deny"},
) |
	some original in ["explode", "", 7, null]
])
