# The decision: every rule above narrowed to one of apply, pipeline, wait or deny.
# Allowed is only what is positively known to be: a part that can't be evaluated denies.
package reconciler

operations := {"cli_mutation", "iac_deploy", "git"}

known_actions := {"create", "update", "replace", "delete", "adopt", "rollback"}

# How an operation on one kind of action stands: allow, pipeline, approval or deny.
standing(operation, action) := "deny" if {
	unknown_kind(operation, action)
} else := "allow" if {
	cell(operation) == "allowed"
	not held_by_absence(operation)
} else := "allow" if {
	direct(operation)
	covered(action)
} else := "approval" if {
	direct(operation)
} else := "pipeline" if {
	cell(operation) in {"read-only", "pipeline only"}
	cell("git") == "allowed"
} else := "deny"

unknown_kind(operation, _) if not operation in operations

unknown_kind(_, action) if not action in known_actions

direct(operation) if cell(operation) in {"allowed", "with approval"}

# A branch deletes nothing yet.
held_by_absence(operation) if {
	absent_needs_approval
	operation != "git"
}

key_of(action) := concat("/", [action.operation, action.action])

# One entry for each distinct operation/action, however many actions there are.
kinds[key] := {"operation": action.operation, "action": action.action} if {
	some action in input.actions
	key := key_of(action)
}

standings[key] := standing(kind.operation, kind.action) if some key, kind in kinds

kind_rulings[key] := {"allow": allowed(standings[key]), "reasons": [ruling_reason(kind, standings[key])]} if {
	some key, kind in kinds
}

allowed("allow") := sound_plan

allowed("approval") := false

allowed("pipeline") := false

allowed("deny") := false

default sound_plan := false

sound_plan if sound

ruling_reason(kind, stand) := say([environment, ": ", kind.operation, " is denied (", cell_text(kind.operation), ")."]) if {
	stand == "deny"
} else := "The plan as a whole is denied." if {
	not sound_plan
} else := say([environment, ": ", kind.operation, " is ", cell_text(kind.operation), "; the change goes to a Git branch."]) if {
	stand == "pipeline"
} else := say([environment, ": ", kind.operation, " is ", cell_text(kind.operation), "; ", count(object.get(approvers, needed_scope(kind.action), set())), " of ", required_approvals, " approvals with scope ", needed_scope(kind.action), "."]) if {
	stand == "approval"
} else := say([environment, ": ", kind.operation, " is ", cell_text(kind.operation), "."])

# The scope that is still short of approvals.
needed_scope(action) := "delete" if {
	absent_needs_approval
	not enough("delete")
} else := action

default cell_text(_) := "not in the matrix"

cell_text(operation) := cell(operation) if is_string(cell(operation))

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
	kind.operation != "git"
	absent_needs_approval
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
