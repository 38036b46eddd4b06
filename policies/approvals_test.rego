package reconciler_approvals_test

import data.reconciler_fixtures as fx
import data.reconciler_harness as run

bob(scope) := fx.approval("bob@example.com", scope)

carol(scope) := fx.approval("carol@example.com", scope)

ordinary := bob(["create", "update", "adopt"])

given(action, approvals) := fx.with_keys(fx.review("development", "cli_mutation", action), {"approvals": approvals})

removal(approvals) := fx.with_plan(given("delete", approvals), {"state": "absent"})

# The approvals section with other rules for development.
rules(changes) := {"approvals": fx.replaced(data.approvals, "development", changes)}

test_none_waits := run.hold([fx.case(given("create", []), {"mode": "wait"})])

test_covered_applies := run.hold([fx.case(given(action, [ordinary]), {"mode": "apply"}) |
	some action in ["create", "update", "adopt"]
])

test_destructive_scopes_dont_come_along := run.hold([fx.case(given(action, [ordinary]), {"mode": "wait"}) |
	some action in ["replace", "delete", "rollback"]
])

test_destructive_scopes_may_be_named := run.hold([fx.case(given(action, [bob([action])]), {"mode": "apply"}) |
	some action in ["replace", "delete", "rollback"]
])

test_unverified_doesnt_count_and_says_why := run.hold([fx.case(
	given("create", [object.union(bob(["create"]), {"verified": false, "reason": "unknown signer"})]),
	{"mode": "wait", "says": "unknown signer"},
)])

test_expired_doesnt_count := run.hold([fx.case(
	given("create", [object.union(bob(["create"]), {"expiresAt": "2026-11-23T08:59:59+00:00"})]),
	{"mode": "wait", "says": "expired"},
)])

test_unreadable_expiry_doesnt_count := run.hold([
	fx.case(given("create", [object.union(bob(["create"]), {"expiresAt": "never"})]), {"mode": "wait"}),
	fx.case(given("create", [object.remove(bob(["create"]), ["expiresAt"])]), {"mode": "wait"}),
])

test_own_approval_doesnt_count := run.hold([fx.case(
	given("create", [fx.approval(" ALICE@example.com ", ["create"])]),
	{"mode": "wait", "says": "author"},
)])

test_own_approval_counts_where_four_eyes_are_waived := run.hold([fx.case_under(
	rules({"four_eyes": false}),
	given("create", [fx.approval("alice@example.com", ["create"])]),
	{"mode": "apply"},
)])

test_two_required_are_two_people := run.hold([
	fx.case_under(rules({"required": 2}), given("create", [bob(["create"]), bob(["create"])]), {"mode": "wait"}),
	fx.case_under(rules({"required": 2}), given("create", [bob(["create"]), carol(["create"])]), {"mode": "apply"}),
])

test_fewer_than_one_required_is_one := run.hold([
fx.case_under(rules({"required": required}), given("create", []), {"mode": "wait"}) |
	some required in [0, -1, "none", null, false]
])

test_only_named_approvers_count := run.hold([
	fx.case_under(rules({"approvers": ["carol@example.com"]}), given("create", [ordinary]), {"mode": "wait"}),
	fx.case_under(rules({"approvers": ["Bob@example.com"]}), given("create", [ordinary]), {"mode": "apply"}),
])

in_role(person) := object.union(rules({"roles": ["cab"]}), {"roles": {"cab": [person]}})

test_roles_count := run.hold([
	fx.case_under(in_role("carol@example.com"), given("create", [ordinary]), {"mode": "wait"}),
	fx.case_under(in_role("bob@example.com"), given("create", [ordinary]), {"mode": "apply"}),
])

test_absent_needs_scope_delete := run.hold([
	fx.case(removal([]), {"mode": "wait"}),
	fx.case(removal([ordinary]), {"mode": "wait"}),
	fx.case(removal([bob(["delete"])]), {"mode": "apply"}),
])

test_absent_sandbox_needs_none := run.hold([fx.case(
	fx.with_plan(fx.review("sandbox", "cli_mutation", "delete"), {"state": "absent"}),
	{"mode": "apply"},
)])

test_absent_needs_one_where_the_matrix_allows := run.hold([fx.case_under(
	{"matrix": fx.replaced(data.matrix, "development", data.matrix.sandbox)},
	removal([]),
	{"mode": "wait"},
)])

test_checklist_names_the_approver := run.hold([fx.case(
	given("create", [bob(["create"])]),
	{"mode": "apply", "checklist": {"approved": {"ok": true, "message": "Approved by bob@example.com."}}},
)])
