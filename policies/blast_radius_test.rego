package reconciler_blast_radius_test

import data.reconciler_fixtures as fx
import data.reconciler_harness as run

# Sandboxes with the default limits.
usual := {"blast_radius": fx.replaced(data.blast_radius, "sandbox", {})}

given(action, resources, deletes, replaces) := fx.with_keys(
	fx.review("sandbox", "cli_mutation", action),
	{"totals": {"resources": resources, "deletes": deletes, "replaces": replaces}},
)

deleting(resources, deletes, mode) := fx.case_under(usual, given("delete", resources, deletes, 0), {"mode": mode})

test_at_the_limit := run.hold([deleting(100, 10, "apply"), deleting(20, 10, "apply")])

test_one_more_than_the_count := run.hold([deleting(100, 11, "deny")])

test_more_than_the_share := run.hold([deleting(19, 10, "deny")])

test_a_single_one_is_never_too_many := run.hold([deleting(1, 1, "apply")])

test_replacements_count_too := run.hold([fx.case_under(
	usual,
	given("replace", 100, 6, 5),
	{"mode": "deny", "rule": "blast_radius"},
)])

test_absent_is_exempt := run.hold([fx.case_under(
	usual,
	fx.with_plan(given("delete", 100, 100, 0), {"state": "absent"}),
	{"mode": "apply"},
)])

test_an_environment_may_have_its_own_limits := run.hold([fx.case(given("delete", 100, 100, 0), {"mode": "apply"})])

test_no_limits_at_all_is_denied := run.hold([fx.case_under(
	{"blast_radius": {}},
	given("delete", 100, 2, 0),
	{"mode": "deny"},
)])

listed := [fx.action(id, "cli_mutation", "delete") | some id in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]]

test_what_is_listed_counts_even_if_totals_say_less := run.hold([fx.case_under(
	usual,
	fx.with_keys(given("delete", 10, 0, 0), {"actions": listed}),
	{"mode": "deny"},
)])
