# The decision: every rule above narrowed to one of apply, pipeline, wait or deny.
# Allowed is only what is positively known to be: a part that can't be evaluated denies.
package reconciler

operations := {"cli_mutation", "iac_deploy", "git"}

known_actions := {"create", "update", "replace", "delete", "adopt", "rollback"}

# How one kind of action stands: allow, pipeline, approval or deny.
standing(kind) := "deny" if {
	unknown_kind(kind)
} else := "allow" if {
	cell(kind.operation) == "allowed"
	matrix_decides(kind)
} else := "allow" if {
	direct(kind.operation)
	covered(kind)
} else := "approval" if {
	direct(kind.operation)
} else := "pipeline" if {
	cell(kind.operation) in {"read-only", "pipeline only"}
	cell("git") == "allowed"
} else := "deny"

unknown_kind(kind) if not kind.operation in operations

unknown_kind(kind) if not kind.action in known_actions

unknown_kind(kind) if not kind.original in known_actions

direct(operation) if cell(operation) in {"allowed", "with approval"}

# What an action does in itself, whatever it serves: the deletion that a rollback makes is a deletion.
original(action) := object.get(action, "original", action.action)

key_of(action) := concat("/", [action.operation, action.action, original(action), further(action)])

# Whether an action opens permissions or network rules further.
further(action) := "broadens" if {
	broadens(action)
} else := "harmless"

broadens(action) if object.get(action, "broadens", []) != []

# One entry for each distinct kind of action, however many actions there are.
kinds[key] := kind if {
	some action in input.actions
	key := key_of(action)
	kind := {
		"operation": action.operation,
		"action": action.action,
		"original": original(action),
		"further": further(action),
	}
}

standings[key] := standing(kind) if some key, kind in kinds

kind_rulings[key] := {"allow": allowed(standings[key]), "reasons": [ruling_reason(kind, standings[key])]} if {
	some key, kind in kinds
}

allowed("allow") := sound_plan

allowed("approval") := false

allowed("pipeline") := false

allowed("deny") := false

default sound_plan := false

sound_plan if sound

ruling_reason(kind, stand) := say([matrix_says(kind), ": denied."]) if {
	stand == "deny"
} else := "The plan as a whole is denied." if {
	not sound_plan
} else := say([matrix_says(kind), "; the change goes to a Git branch."]) if {
	stand == "pipeline"
} else := say([environment, ": ", noun(kind), " needs an approval of exactly this change; ", short_of(kind), ": ", approve_exactly]) if {
	stand == "approval"
	not any_change_will_do(kind)
} else := say([environment, ": a rollback needs an approval of its own; ", short_of(kind), ": ", approve_exactly]) if {
	stand == "approval"
	not no_rollback(kind)
} else := say([environment, ": ", kind.action, " opens permissions or network rules further, which needs an approval; ", short_of(kind), "."]) if {
	stand == "approval"
	cell(kind.operation) == "allowed"
	kind.further == "broadens"
} else := say([matrix_says(kind), "; ", short_of(kind), "."]) if {
	stand == "approval"
} else := say([matrix_says(kind), "."])

matrix_says(kind) := say([environment, ": the matrix says \"", cell(kind.operation), "\" for ", kind.operation]) if {
	is_string(cell(kind.operation))
} else := say([environment, ": the matrix says nothing of ", kind.operation])

short_of(kind) := say([count(granted(kind)), " of ", required_approvals, " ", plural("approval", required_approvals), " with scope ", needed_scope(kind)])

granted(kind) := object.get(approvers, needed_scope(kind), set()) if {
	any_change_will_do(kind)
} else := object.get(exact_approvers, needed_scope(kind), set())

noun(kind) := say(["the ", kind.original, " of a rollback"]) if {
	kind.action != kind.original
} else := kind.action

approve_exactly := say(["`reconciler approve ", plan_name, " --change`."])

default plan_name := "PLAN"

plan_name := input.plan.name if {
	filled(input.plan.name)
}

# The scope that is still short of approvals.
needed_scope(kind) := "delete" if {
	absent_needs_approval
	not enough(deletion, "delete")
} else := kind.action

# Whether an approval has any bearing on this plan, for the checklist.
approval_matters if some_standing("approval")

approval_matters if {
	some key, kind in kinds
	standings[key] == "allow"
	kind.operation != "git"
	cell(kind.operation) == "with approval"
}

approval_matters if {
	some key, kind in kinds
	standings[key] == "allow"
	not matrix_decides(kind)
}

approval_matters if {
	count(kinds) == 0
	cell(usual_operation) == "with approval"
}

default usual_operation := "iac_deploy"

usual_operation := input.operation if {
	input.operation in operations
} else := "cli_mutation" if {
	input.plan.delivery == "resources"
}

approval_given if {
	count(kinds) > 0
	not some_standing("approval")
}

approval_given if {
	count(kinds) == 0
	count(any_approvers) >= required_approvals
}

some_standing(stand) if {
	some found in standings
	found == stand
}

to_pipeline if some_standing("pipeline")

to_pipeline if {
	some key, kind in kinds
	kind.operation == "git"
	standings[key] == "allow"
}

to_apply if {
	not to_pipeline
	not some_standing("approval")
	count(kinds) > 0
}

mode := "deny" if {
	not sound_plan
} else := "deny" if {
	some_standing("deny")
} else := "pipeline" if {
	to_pipeline
} else := "wait" if {
	some_standing("approval")
} else := "wait" if {
	to_apply
	count(held) > 0
} else := "apply"

summary contains {"rule": "matrix", "message": message} if {
	some key, kind in kinds
	message := ruling_reason(kind, standings[key])
	sound_plan
}

summary contains {"rule": "matrix", "message": message} if {
	count(kinds) == 0
	sound_plan
	message := say([environment, ": the plan may be looked at."])
}

summary contains {"rule": "input", "message": "A part of the plan can't be evaluated, so nothing is allowed."} if {
	not sound_plan
	count(denials) == 0
}

summary contains reason if {
	to_apply
	some reason in held
}

summary contains {"rule": "windows", "message": message} if {
	mode == "pipeline"
	count(held) > 0
	message := "Change windows hold direct changes only; the branch is made now."
}

well_formed if {
	is_object(input.plan)
	is_array(input.actions)
	is_number(now)
	count([1 | some action in input.actions; well_formed_action(action)]) == count(input.actions)
}

well_formed_action(action) if {
	filled(action.id)
	is_string(action.operation)
	is_string(action.action)
	is_string(original(action))
}

default decision := {
	"mode": "deny",
	"actions": {},
	"reasons": [{"rule": "input", "message": "The question can't be understood, so nothing is allowed."}],
	"checklist": {},
}

decision := {
	"mode": mode,
	"actions": {action.id: kind_rulings[key_of(action)] | some action in input.actions},
	"reasons": [reason | some reason in ((denials | not_counted) | summary)],
	"checklist": checklist,
} if {
	well_formed
}
