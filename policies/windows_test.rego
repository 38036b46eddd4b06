package reconciler_windows_test

import data.reconciler_fixtures as fx
import data.reconciler_harness as run

creation := fx.review("sandbox", "cli_mutation", "create")

# A sandbox change at `now` under one window. 2026-11-23 is a Monday.
at(window, now, mode) := fx.case_under(
	{"windows": {"sandbox": [window]}},
	fx.with_keys(creation, {"now": now}),
	{"mode": mode},
)

frozen(freeze, mode) := fx.case_under({"freezes": [freeze]}, creation, {"mode": mode})

office := {"days": ["mon", "Tuesday"], "from": "08:00", "to": "16:00", "timezone": "Europe/Berlin"}

closed(environment) := {"windows": {environment: [{"from": "00:00", "to": "00:01"}]}}

test_no_windows_is_always := run.hold([fx.case_under({"windows": {"sandbox": []}}, creation, {"mode": "apply"})])

test_inside := run.hold([at(office, now, "apply") |
	some now in ["2026-11-23T07:00:00+00:00", "2026-11-23T14:59:59+00:00", "2026-11-24T09:00:00+00:00"]
])

test_outside := run.hold([at(office, now, "wait") |
	some now in ["2026-11-23T06:59:59+00:00", "2026-11-23T15:00:00+00:00", "2026-11-25T09:00:00+00:00"]
])

test_summer_time := run.hold([
	at(office, "2026-07-06T06:00:00+00:00", "apply"),
	at(office, "2026-07-06T05:59:59+00:00", "wait"),
])

new_york := {"days": ["mon"], "from": "00:00", "to": "24:00", "timezone": "America/New_York"}

test_the_day_is_the_zones_own := run.hold([
	at(new_york, "2026-11-24T03:00:00+00:00", "apply"),
	at(new_york, "2026-11-23T03:00:00+00:00", "wait"),
])

night := {"days": ["mon"], "from": "22:00", "to": "04:00"}

test_over_midnight := run.hold([
	at(night, "2026-11-23T23:00:00+00:00", "apply"),
	at(night, "2026-11-24T03:59:00+00:00", "apply"),
	at(night, "2026-11-24T04:00:00+00:00", "wait"),
	at(night, "2026-11-23T03:00:00+00:00", "wait"),
])

test_every_day_without_days := run.hold([at({"from": "08:00", "to": "10:00"}, fx.now, "apply")])

test_minutes_as_yaml_reads_them := run.hold([
	at({"from": 480, "to": 1080}, fx.now, "apply"),
	at({"from": 600, "to": 1080}, fx.now, "wait"),
])

test_nonsense_never_opens := run.hold([at(window, fx.now, "wait") |
	some window in [
		{"from": "early", "to": "late"},
		{"from": "8", "to": "16"},
		{},
		{"from": "00:00", "to": "24:00", "days": "mon"},
	]
])

test_a_branch_isnt_held := run.hold([fx.case_under(
	closed("production"),
	fx.review("production", "cli_mutation", "create"),
	{"mode": "pipeline", "rule": "windows"},
)])

test_nothing_to_do_isnt_held := run.hold([fx.case_under(
	closed("sandbox"),
	fx.with_keys(creation, {"actions": []}),
	{"mode": "apply"},
)])

test_freeze := run.hold([
	frozen({"environments": ["sandbox"], "from": "2026-11-23", "to": "2026-11-23"}, "wait"),
	frozen({"from": "2026-11-20", "to": "2026-12-01"}, "wait"),
])

test_freeze_of_others_or_of_other_days := run.hold([frozen(freeze, "apply") |
	some freeze in [
		{"environments": ["production"], "from": "2026-11-20", "to": "2026-12-01"},
		{"environments": ["sandbox"], "from": "2026-11-24", "to": "2026-12-01"},
		{"environments": ["sandbox"], "from": "2026-11-01", "to": "2026-11-22"},
	]
])

test_an_unreadable_freeze_holds := run.hold([
	frozen({"environments": ["sandbox"], "from": "soon", "to": "later"}, "wait"),
	frozen({"environments": ["sandbox"]}, "wait"),
])
