# How much one pass may delete or replace. The totals cover the whole pass, also where the actions come in parts.
package reconciler

destructive_listed := count([1 | some action in input.actions; destroys(action)])

destroys(action) if action.action in {"delete", "replace"}

destroys(action) if action.original in {"delete", "replace"}

totals := object.get(input, "totals", {})

destructive := max([
	destructive_listed,
	object.get(totals, "deletes", 0) + object.get(totals, "replaces", 0),
])

default default_blast_limits := {}

default_blast_limits := data.blast_radius["default"] if is_object(data.blast_radius["default"])

default own_blast_limits := {}

own_blast_limits := data.blast_radius[environment] if is_object(data.blast_radius[environment])

blast_limits := object.union(default_blast_limits, own_blast_limits)

blast_percent := (100 * destructive) / totals.resources if totals.resources > 0

blast_ok if destructive == 0

blast_ok if absent

blast_ok if {
	within_count
	within_percent
}

within_count if {
	is_number(blast_limits.max_count)
	destructive <= blast_limits.max_count
}

within_percent if destructive == 1

within_percent if {
	is_number(blast_limits.max_percent)
	blast_percent <= blast_limits.max_percent
}

denials contains {"rule": "blast_radius", "message": message} if {
	not blast_ok
	not within_count
	message := say([destructive, " resources would be deleted or replaced; one pass in ", environment, " may do at most ", object.get(blast_limits, "max_count", 0), "."])
}

denials contains {"rule": "blast_radius", "message": message} if {
	not blast_ok
	not within_percent
	message := say([destructive, " of ", object.get(totals, "resources", "an unknown number of"), " resources would be deleted or replaced; one pass in ", environment, " may do at most ", object.get(blast_limits, "max_percent", 0), " %."])
}
