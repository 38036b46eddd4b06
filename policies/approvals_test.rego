package reconciler_approvals_test

import data.reconciler_fixtures as fx

bob(scope) := fx.approval("bob@example.com", scope)

carol(scope) := fx.approval("carol@example.com", scope)

answer(action, approvals) := result if {
	question := object.union(fx.review("development", "cli_mutation", action), {"approvals": approvals})
	result := fx.decide(question)
}

mode(action, approvals) := answer(action, approvals).mode

message_of(result) := concat(" ", [reason.message | some reason in result.reasons])

creation(approvals) := object.union(fx.review("development", "cli_mutation", "create"), {"approvals": approvals})

removal(approvals) := object.union(
	fx.with_plan(fx.review("development", "cli_mutation", "delete"), {"state": "absent"}),
	{"approvals": approvals},
)

test_none_waits if mode("create", []) == "wait"

test_covered_applies if {
	mode("create", [bob(["create", "update", "adopt"])]) == "apply"
	mode("update", [bob(["create", "update", "adopt"])]) == "apply"
	mode("adopt", [bob(["create", "update", "adopt"])]) == "apply"
}

test_destructive_scopes_must_be_named if {
	every action in ["replace", "delete", "rollback"] {
		mode(action, [bob(["create", "update", "adopt"])]) == "wait"
		mode(action, [bob([action])]) == "apply"
	}
}

test_unverified_doesnt_count_and_says_why if {
	result := answer("create", [object.union(bob(["create"]), {"verified": false, "reason": "unknown signer"})])
	result.mode == "wait"
	contains(message_of(result), "unknown signer")
}

test_expired_doesnt_count if {
	result := answer("create", [object.union(bob(["create"]), {"expiresAt": "2026-11-23T08:59:59+00:00"})])
	result.mode == "wait"
	contains(message_of(result), "expired")
}

test_unreadable_expiry_doesnt_count if {
	mode("create", [object.union(bob(["create"]), {"expiresAt": "never"})]) == "wait"
	mode("create", [object.remove(bob(["create"]), ["expiresAt"])]) == "wait"
}

test_own_approval_doesnt_count if {
	result := answer("create", [fx.approval(" ALICE@example.com", ["create"])])
	result.mode == "wait"
	contains(message_of(result), "author")
}

test_own_approval_counts_where_four_eyes_are_waived if {
	question := object.union(
		fx.review("development", "cli_mutation", "create"),
		{"approvals": [fx.approval("alice@example.com", ["create"])]},
	)
	result := fx.decide(question) with data.approvals.development as {"four_eyes": false}
	result.mode == "apply"
}

test_two_required_are_two_people if {
	twice := [bob(["create"]), bob(["create"])]
	one := fx.decide(creation(twice)) with data.approvals.development as {"required": 2}
	one.mode == "wait"
	both := [bob(["create"]), carol(["create"])]
	two := fx.decide(creation(both)) with data.approvals.development as {"required": 2}
	two.mode == "apply"
}

test_fewer_than_one_required_is_one if {
	every required in [0, -1, "none", null, false] {
		result := fx.decide(fx.review("development", "cli_mutation", "create")) with data.approvals.development as {"required": required}
		result.mode == "wait"
	}
}

test_only_named_approvers_count if {
	question := object.union(fx.review("development", "cli_mutation", "create"), {"approvals": [bob(["create"])]})
	refused := fx.decide(question) with data.approvals.development as {"approvers": ["carol@example.com"]}
	refused.mode == "wait"
	accepted := fx.decide(question) with data.approvals.development as {"approvers": ["Bob@example.com"]}
	accepted.mode == "apply"
}

test_roles_count if {
	question := object.union(fx.review("development", "cli_mutation", "create"), {"approvals": [bob(["create"])]})
	refused := fx.decide(question) with data.approvals.development as {"roles": ["cab"]}
		with data.roles as {"cab": ["carol@example.com"]}
	refused.mode == "wait"
	accepted := fx.decide(question) with data.approvals.development as {"roles": ["cab"]}
		with data.roles as {"cab": ["bob@example.com"]}
	accepted.mode == "apply"
}

test_absent_needs_scope_delete if {
	none := fx.decide(removal([]))
	none.mode == "wait"
	wrong := fx.decide(removal([bob(["create", "update", "adopt"])]))
	wrong.mode == "wait"
	right := fx.decide(removal([bob(["delete"])]))
	right.mode == "apply"
}

test_absent_sandbox_needs_none if {
	result := fx.decide(fx.with_plan(fx.review("sandbox", "cli_mutation", "delete"), {"state": "absent"}))
	result.mode == "apply"
}

test_absent_needs_one_where_the_matrix_allows if {
	row := {"cli_mutation": "allowed", "iac_deploy": "allowed", "git": "allowed"}
	result := fx.decide(fx.with_plan(fx.review("development", "cli_mutation", "delete"), {"state": "absent"})) with data.matrix.development as row
	result.mode == "wait"
}

test_checklist_names_the_approver if {
	result := answer("create", [bob(["create"])])
	result.checklist.approved == {"ok": true, "message": "Approved by bob@example.com."}
}
