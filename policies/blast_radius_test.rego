package reconciler_blast_radius_test

import data.reconciler_fixtures as fx

# `destructive` of `resources` resources deleted in a sandbox with the default limits.
mode(resources, destructive) := result.mode if {
	question := object.union(
		fx.review("sandbox", "cli_mutation", "delete"),
		{"totals": {"resources": resources, "deletes": destructive, "replaces": 0}},
	)
	result := fx.decide(question) with data.blast_radius.sandbox as {}
}

test_at_the_limit if {
	mode(100, 10) == "apply"
	mode(20, 10) == "apply"
}

test_one_more_than_the_count if mode(100, 11) == "deny"

test_more_than_the_share if mode(19, 10) == "deny"

test_a_single_one_is_never_too_many if mode(1, 1) == "apply"

test_replacements_count_too if {
	question := object.union(
		fx.review("sandbox", "cli_mutation", "replace"),
		{"totals": {"resources": 100, "deletes": 6, "replaces": 5}},
	)
	result := fx.decide(question) with data.blast_radius.sandbox as {}
	result.mode == "deny"
	some reason in result.reasons
	reason.rule == "blast_radius"
}

test_absent_is_exempt if {
	question := object.union(
		fx.with_plan(fx.review("sandbox", "cli_mutation", "delete"), {"state": "absent"}),
		{"totals": {"resources": 100, "deletes": 100, "replaces": 0}},
	)
	result := fx.decide(question) with data.blast_radius.sandbox as {}
	result.mode == "apply"
}

test_an_environment_may_have_its_own_limits if {
	question := object.union(
		fx.review("sandbox", "cli_mutation", "delete"),
		{"totals": {"resources": 100, "deletes": 100, "replaces": 0}},
	)
	result := fx.decide(question)
	result.mode == "apply"
}

test_no_limits_at_all_is_denied if {
	question := object.union(
		fx.review("sandbox", "cli_mutation", "delete"),
		{"totals": {"resources": 100, "deletes": 2, "replaces": 0}},
	)
	result := fx.decide(question) with data.blast_radius as {}
	result.mode == "deny"
}

test_what_is_listed_counts_even_if_totals_say_less if {
	listed := [fx.action(id, "cli_mutation", "delete") | some id in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]]
	question := object.union(fx.review("sandbox", "cli_mutation", "delete"), {"actions": listed})
	result := fx.decide(question) with data.blast_radius.sandbox as {}
	result.mode == "deny"
}
