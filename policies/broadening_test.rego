# Changes that open permissions or network rules further.
package reconciler_broadening_test

import data.reconciler_fixtures as fx
import data.reconciler_harness as run

# One action of an app that opens something further.
given(delivery, broadens, approvals) := fx.with_keys(
	fx.with_plan(fx.review("sandbox", "iac_deploy", "create"), {"delivery": delivery}),
	{
		"approvals": approvals,
		"actions": [object.union(fx.action("a", "iac_deploy", "create"), {"broadens": broadens})],
	},
)

bob := fx.approval("bob@example.com", ["create"])

test_an_app_that_opens_something_needs_an_approval_even_in_a_sandbox if run.hold([
	fx.case(given("cdk", [], []), {"mode": "apply"}),
	fx.case(given("cdk", ["a role"], []), {"mode": "wait", "says": "opens permissions or network rules further"}),
	fx.case(given("cdk", ["a role"], [bob]), {"mode": "apply"}),
	fx.case(given("stack", ["a role"], []), {"mode": "apply"}),
])

rules(broadening) := {"approvals": fx.replaced(data.approvals, "sandbox", {"absent": false, "broadening": broadening})}

test_for_which_deliveries_is_data if run.hold([
	fx.case_under(rules(["stack"]), given("stack", ["a role"], []), {"mode": "wait"}),
	fx.case_under(rules([]), given("cdk", ["a role"], []), {"mode": "apply"}),
])

test_what_cannot_be_understood_needs_an_approval if run.hold([
	fx.case_under(rules("cdk"), given("cdk", ["a role"], []), {"mode": "wait"}),
	fx.case_under(rules(7), given("stack", ["a role"], []), {"mode": "wait"}),
])
