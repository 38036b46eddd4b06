package reconciler_matrix_test

import data.reconciler_fixtures as fx

verdict(environment, operation) := {"mode": answer.mode, "allow": answer.actions.A.allow} if {
	answer := fx.decide(fx.review(environment, operation, "create"))
}

test_sandbox_is_applied if {
	verdict("sandbox", "cli_mutation") == {"mode": "apply", "allow": true}
	verdict("sandbox", "iac_deploy") == {"mode": "apply", "allow": true}
}

test_development_waits_for_an_approval if {
	verdict("development", "cli_mutation") == {"mode": "wait", "allow": false}
	verdict("development", "iac_deploy") == {"mode": "wait", "allow": false}
}

test_staging_goes_to_the_pipeline if {
	verdict("staging", "cli_mutation") == {"mode": "pipeline", "allow": false}
	verdict("staging", "iac_deploy") == {"mode": "pipeline", "allow": false}
}

test_production_goes_to_the_pipeline if {
	verdict("production", "cli_mutation") == {"mode": "pipeline", "allow": false}
	verdict("production", "iac_deploy") == {"mode": "pipeline", "allow": false}
}

test_git_is_allowed_everywhere if {
	every environment in ["sandbox", "development", "staging", "production"] {
		verdict(environment, "git") == {"mode": "pipeline", "allow": true}
	}
}

test_environment_without_a_row_is_denied if {
	verdict("test", "cli_mutation") == {"mode": "deny", "allow": false}
	verdict("test", "git") == {"mode": "deny", "allow": false}
}

test_unknown_operation_is_denied if verdict("sandbox", "console") == {"mode": "deny", "allow": false}

test_unknown_action_is_denied if {
	answer := fx.decide(fx.review("sandbox", "cli_mutation", "explode"))
	answer.mode == "deny"
}

test_a_cell_is_data if {
	row := {"cli_mutation": "allowed", "iac_deploy": "forbidden", "git": "allowed"}
	answer := fx.decide(fx.review("development", "cli_mutation", "create")) with data.matrix.development as row
	answer.mode == "apply"
	other := fx.decide(fx.review("development", "iac_deploy", "create")) with data.matrix.development as row
	other.mode == "deny"
}

test_read_only_without_git_is_denied if {
	row := {"cli_mutation": "read-only", "iac_deploy": "pipeline only", "git": "no"}
	answer := fx.decide(fx.review("staging", "cli_mutation", "create")) with data.matrix.staging as row
	answer.mode == "deny"
}

test_a_row_may_be_added if {
	row := {"cli_mutation": "allowed", "iac_deploy": "allowed", "git": "allowed"}
	answer := fx.decide(fx.review("test", "cli_mutation", "create")) with data.matrix.test as row
		with data.accounts["555555555555"] as "test"
	answer.mode == "apply"
}

test_account_not_listed_is_denied if {
	question := fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"account": "999999999999"})
	answer := fx.decide(question)
	answer.mode == "deny"
	some reason in answer.reasons
	reason.rule == "accounts"
}

test_account_of_another_environment_is_denied if {
	question := fx.with_plan(fx.review("sandbox", "cli_mutation", "create"), {"account": "444444444444"})
	answer := fx.decide(question)
	answer.mode == "deny"
	some reason in answer.reasons
	reason.rule == "accounts"
}

test_an_account_may_be_shared if {
	answer := fx.decide(fx.review("sandbox", "cli_mutation", "create")) with data.accounts["111111111111"] as ["development", "sandbox"]
	answer.mode == "apply"
}

test_credentials_of_another_account_are_denied if {
	question := object.union(fx.review("sandbox", "cli_mutation", "create"), {"identity": {"account": "222222222222"}})
	answer := fx.decide(question)
	answer.mode == "deny"
	some reason in answer.reasons
	reason.rule == "identity"
}

test_no_identity_is_denied_where_there_is_something_to_do if {
	question := object.union(fx.review("sandbox", "cli_mutation", "create"), {"identity": null})
	answer := fx.decide(question)
	answer.mode == "deny"
}

test_admission_needs_no_identity if {
	question := object.union(
		fx.review("production", "cli_mutation", "create"),
		{"phase": "admit", "identity": null, "actions": []},
	)
	answer := fx.decide(question)
	answer.mode == "apply"
	answer.checklist.environment.ok
	not answer.checklist.permissions.ok
}
