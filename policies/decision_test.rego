package reconciler_decision_test

import data.reconciler_fixtures as fx
import data.reconciler_harness as run

creation := fx.review("sandbox", "cli_mutation", "create")

nonsense := [{"plan": null}, {"plan": "x"}, {"actions": null}, {"actions": {}}, {"now": "soon"}, {"now": null}]

test_nonsense_is_denied := run.hold([fx.case(fx.with_keys(creation, changes), {"mode": "deny"}) |
	some changes in nonsense
])

test_an_action_without_an_id_is_denied := run.hold([fx.case(
	fx.with_keys(creation, {"actions": [{"operation": "cli_mutation", "action": "create"}]}),
	{"mode": "deny"},
)])

test_the_answer_is_complete := run.hold([fx.case(
	creation,
	{"keys": ["mode", "actions", "reasons", "checklist"], "rule": "matrix", "passing": fx.every_item},
)])

test_every_check_passes_where_it_applies := run.hold([fx.case(
	creation,
	{"mode": "apply", "passing": fx.every_item, "allow": {"A": true}},
)])

test_a_denied_plan_allows_no_action := run.hold([fx.case(
	fx.with_plan(creation, {"rollback": "none"}),
	{"mode": "deny", "allow": {"A": false}, "failing": ["rollback"]},
)])

test_missing_permissions_are_denied := run.hold([fx.case(
	fx.with_keys(creation, {"permissions": {"missing": ["ec2:DescribeVpcs"]}}),
	{"mode": "deny", "failing": ["permissions"], "says": "ec2:DescribeVpcs"},
)])

test_a_procedure_will_do := run.hold([fx.case(
	fx.with_plan(creation, {"rollback": {"procedure": "wiki"}}),
	{"mode": "apply"},
)])

test_no_region_is_denied := run.hold([fx.case(
	fx.with_plan(creation, {"region": ""}),
	{"mode": "deny", "failing": ["profile_and_region"]},
)])

test_the_profile_is_named := run.hold([fx.case(fx.with_plan(creation, {"profile": "dev-admin"}), {"says": "dev-admin"})])

given(operations) := fx.with_keys(creation, {"actions": [fx.action(operation, operation, "create") |
	some operation in operations
]})

test_the_strictest_action_decides := run.hold([
	fx.case(given(["cli_mutation", "git"]), {"mode": "pipeline"}),
	fx.case(given(["cli_mutation", "git", "console"]), {"mode": "deny", "allow": {"console": false}}),
])
