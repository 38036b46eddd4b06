package reconciler_matrix_test

import data.reconciler_fixtures as fx
import data.reconciler_harness as run

verdict(environment, operation, mode, allow) := fx.case(
	fx.review(environment, operation, "create"),
	{"mode": mode, "allow": {"A": allow}},
)

creation := fx.review("sandbox", "cli_mutation", "create")

# The matrix with another row.
row(environment, cells) := {"matrix": fx.replaced(data.matrix, environment, cells)}

test_sandbox_is_applied := run.hold([
	verdict("sandbox", "cli_mutation", "apply", true),
	verdict("sandbox", "iac_deploy", "apply", true),
])

test_development_waits_for_an_approval := run.hold([
	verdict("development", "cli_mutation", "wait", false),
	verdict("development", "iac_deploy", "wait", false),
])

test_staging_goes_to_the_pipeline := run.hold([
	verdict("staging", "cli_mutation", "pipeline", false),
	verdict("staging", "iac_deploy", "pipeline", false),
])

test_production_goes_to_the_pipeline := run.hold([
	verdict("production", "cli_mutation", "pipeline", false),
	verdict("production", "iac_deploy", "pipeline", false),
])

test_git_is_allowed_everywhere := run.hold([verdict(environment, "git", "pipeline", true) |
	some environment in ["sandbox", "development", "staging", "production"]
])

test_environment_without_a_row_is_denied := run.hold([
	verdict("test", "cli_mutation", "deny", false),
	verdict("test", "git", "deny", false),
])

test_unknown_operation_is_denied := run.hold([verdict("sandbox", "console", "deny", false)])

test_unknown_action_is_denied := run.hold([fx.case(
	fx.review("sandbox", "cli_mutation", "explode"),
	{"mode": "deny"},
)])

mixed := row("development", {"cli_mutation": "allowed", "iac_deploy": "forbidden", "git": "allowed"})

test_a_cell_is_data := run.hold([
	fx.case_under(mixed, fx.review("development", "cli_mutation", "create"), {"mode": "apply"}),
	fx.case_under(mixed, fx.review("development", "iac_deploy", "create"), {"mode": "deny"}),
])

test_read_only_without_git_is_denied := run.hold([fx.case_under(
	row("staging", {"cli_mutation": "read-only", "iac_deploy": "pipeline only", "git": "no"}),
	fx.review("staging", "cli_mutation", "create"),
	{"mode": "deny"},
)])

test_a_row_may_be_added := run.hold([fx.case_under(
	object.union(row("test", data.matrix.sandbox), {"accounts": {"555555555555": "test"}}),
	fx.review("test", "cli_mutation", "create"),
	{"mode": "apply"},
)])

test_account_not_listed_is_denied := run.hold([fx.case(
	fx.with_plan(creation, {"account": "999999999999"}),
	{"mode": "deny", "rule": "accounts"},
)])

test_account_of_another_environment_is_denied := run.hold([fx.case(
	fx.with_plan(creation, {"account": "444444444444"}),
	{"mode": "deny", "rule": "accounts"},
)])

test_an_account_may_be_shared := run.hold([fx.case_under(
	{"accounts": {"111111111111": ["development", "sandbox"]}},
	creation,
	{"mode": "apply"},
)])

test_credentials_of_another_account_are_denied := run.hold([fx.case(
	fx.with_keys(creation, {"identity": {"account": "222222222222"}}),
	{"mode": "deny", "rule": "identity"},
)])

test_no_identity_is_denied_where_there_is_something_to_do := run.hold([fx.case(
	fx.with_keys(creation, {"identity": null}),
	{"mode": "deny"},
)])

test_admission_needs_no_identity := run.hold([fx.case(
	fx.with_keys(
		fx.review("production", "cli_mutation", "create"),
		{"phase": "admit", "identity": null, "actions": []},
	),
	{"mode": "apply", "passing": ["environment"], "failing": ["permissions"]},
)])
