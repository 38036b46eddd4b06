package reconciler_windows_test

import data.reconciler_fixtures as fx

# The mode of a sandbox change at `now` under one window. 2026-11-23 is a Monday.
mode(window, now) := result.mode if {
	result := fx.decide(object.union(fx.review("sandbox", "cli_mutation", "create"), {"now": now})) with data.windows as {"sandbox": [window]}
}

office := {"days": ["mon", "Tuesday"], "from": "08:00", "to": "16:00", "timezone": "Europe/Berlin"}

test_no_windows_is_always if {
	result := fx.decide(fx.review("sandbox", "cli_mutation", "create")) with data.windows as {"sandbox": []}
	result.mode == "apply"
}

test_inside if {
	mode(office, "2026-11-23T07:00:00+00:00") == "apply"
	mode(office, "2026-11-23T14:59:59+00:00") == "apply"
	mode(office, "2026-11-24T09:00:00+00:00") == "apply"
}

test_outside if {
	mode(office, "2026-11-23T06:59:59+00:00") == "wait"
	mode(office, "2026-11-23T15:00:00+00:00") == "wait"
	mode(office, "2026-11-25T09:00:00+00:00") == "wait"
}

test_summer_time if {
	mode(office, "2026-07-06T06:00:00+00:00") == "apply"
	mode(office, "2026-07-06T05:59:59+00:00") == "wait"
}

test_the_day_is_the_zones_own if {
	window := {"days": ["mon"], "from": "00:00", "to": "24:00", "timezone": "America/New_York"}
	mode(window, "2026-11-24T03:00:00+00:00") == "apply"
	mode(window, "2026-11-23T03:00:00+00:00") == "wait"
}

test_over_midnight if {
	night := {"days": ["mon"], "from": "22:00", "to": "04:00"}
	mode(night, "2026-11-23T23:00:00+00:00") == "apply"
	mode(night, "2026-11-24T03:59:00+00:00") == "apply"
	mode(night, "2026-11-24T04:00:00+00:00") == "wait"
	mode(night, "2026-11-23T03:00:00+00:00") == "wait"
}

test_every_day_without_days if mode({"from": "08:00", "to": "10:00"}, fx.now) == "apply"

test_minutes_as_yaml_reads_them if {
	mode({"from": 480, "to": 1080}, fx.now) == "apply"
	mode({"from": 600, "to": 1080}, fx.now) == "wait"
}

test_nonsense_never_opens if {
	mode({"from": "early", "to": "late"}, fx.now) == "wait"
	mode({"from": "8", "to": "16"}, fx.now) == "wait"
	mode({}, fx.now) == "wait"
	mode({"from": "00:00", "to": "24:00", "days": "mon"}, fx.now) == "wait"
}

test_a_branch_isnt_held if {
	closed := {"production": [{"from": "00:00", "to": "00:01"}]}
	result := fx.decide(fx.review("production", "cli_mutation", "create")) with data.windows as closed
	result.mode == "pipeline"
	some reason in result.reasons
	reason.rule == "windows"
}

test_nothing_to_do_isnt_held if {
	closed := {"sandbox": [{"from": "00:00", "to": "00:01"}]}
	question := object.union(fx.review("sandbox", "cli_mutation", "create"), {"actions": []})
	result := fx.decide(question) with data.windows as closed
	result.mode == "apply"
}

frozen(freeze) := result.mode if {
	result := fx.decide(fx.review("sandbox", "cli_mutation", "create")) with data.freezes as [freeze]
}

test_freeze if {
	frozen({"environments": ["sandbox"], "from": "2026-11-23", "to": "2026-11-23"}) == "wait"
	frozen({"from": "2026-11-20", "to": "2026-12-01"}) == "wait"
}

test_freeze_of_others_or_of_other_days if {
	frozen({"environments": ["production"], "from": "2026-11-20", "to": "2026-12-01"}) == "apply"
	frozen({"environments": ["sandbox"], "from": "2026-11-24", "to": "2026-12-01"}) == "apply"
	frozen({"environments": ["sandbox"], "from": "2026-11-01", "to": "2026-11-22"}) == "apply"
}

test_an_unreadable_freeze_holds if {
	frozen({"environments": ["sandbox"], "from": "soon", "to": "later"}) == "wait"
	frozen({"environments": ["sandbox"]}) == "wait"
}
