# When direct changes may be made. A closed window or a freeze makes a change wait; it is tried again later.
package reconciler

default environment_windows := []

environment_windows := data.windows[environment]

window_open if count(environment_windows) == 0

window_open if {
	some window in environment_windows
	is_open(window)
}

zone(rule) := object.get(rule, "timezone", "UTC")

minute_of_day(rule) := (clock[0] * 60) + clock[1] if clock := time.clock([now, zone(rule)])

day_before := now - (((24 * 60) * 60) * 1000000000)

on_day(window, _) if not window.days

on_day(window, moment) if {
	today := lower(substring(time.weekday([moment, zone(window)]), 0, 3))
	some day in window.days
	lower(substring(day, 0, 3)) == today
}

# "09:30" in minutes. YAML reads an unquoted 09:30 as minutes already.
minutes(clock) := clock if {
	is_number(clock)
	clock <= 1440
}

minutes(clock) := (to_number(parts[0]) * 60) + to_number(parts[1]) if {
	is_string(clock)
	regex.match(`^([01]?[0-9]|2[0-4]):[0-5][0-9]$`, clock)
	parts := split(clock, ":")
}

is_open(window) if {
	minutes(window.from) < minutes(window.to)
	minute_of_day(window) >= minutes(window.from)
	minute_of_day(window) < minutes(window.to)
	on_day(window, now)
}

is_open(window) if {
	minutes(window.from) > minutes(window.to)
	minute_of_day(window) >= minutes(window.from)
	on_day(window, now)
}

is_open(window) if {
	minutes(window.from) > minutes(window.to)
	minute_of_day(window) < minutes(window.to)
	on_day(window, day_before)
}

# 2026-12-20 as the number 20261220.
day_number(text) := to_number(replace(substring(text, 0, 10), "-", ""))

today_number(rule) := ((date[0] * 10000) + (date[1] * 100)) + date[2] if date := time.date([now, zone(rule)])

freezes contains freeze if {
	some freeze in data.freezes
	not elsewhere(freeze)
	not before_or_after(freeze)
}

elsewhere(freeze) if {
	freeze.environments
	not environment in freeze.environments
}

before_or_after(freeze) if today_number(freeze) < day_number(freeze.from)

before_or_after(freeze) if today_number(freeze) > day_number(freeze.to)

held contains {"rule": "windows", "message": message} if {
	not window_open
	message := say(["No change window of ", environment, " is open now; tried again later."])
}

held contains {"rule": "windows", "message": message} if {
	some freeze in freezes
	message := say(["Changes to ", environment, " are frozen until ", object.get(freeze, "to", "further notice"), " (", object.get(freeze, "reason", "no reason given"), "); tried again later."])
}
