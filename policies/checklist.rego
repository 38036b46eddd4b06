# The checklist that precedes every execution: six items, each with what was found.
package reconciler

region_ok if filled(input.plan.region)

missing_permissions := object.get(object.get(input, "permissions", {}), "missing", [])

permissions_ok if count(missing_permissions) == 0

rollback_ok if input.plan.rollback in {"automatic", "manual"}

rollback_ok if filled(input.plan.rollback.procedure)

denials contains {"rule": "region", "message": "The plan names no region."} if not region_ok

denials contains {"rule": "rollback", "message": message} if {
	not rollback_ok
	message := "The plan says nothing usable about rollback (automatic, manual or a procedure)."
}

denials contains {"rule": "permissions", "message": message} if {
	not permissions_ok
	message := say(["Permissions are missing: ", concat(", ", missing_permissions), "."])
}

# Everything but the matrix cell and the approvals; the decision needs all of it.
sound if {
	environment_ok
	guardrail_ok
	region_ok
	permissions_ok
	rollback_ok
	blast_ok
}

checklist := {
	"approved": approved_item,
	"guardrail": guardrail_item,
	"environment": environment_item,
	"profile_and_region": region_item,
	"permissions": permissions_item,
	"rollback": rollback_item,
}

because(rules) := concat(" ", messages) if {
	messages := sort([denial.message | some denial in denials; denial.rule in rules])
	count(messages) > 0
} else := "Can't be evaluated."

approved_item := {"ok": true, "message": "No approval is needed by the matrix."} if {
	not approval_matters
} else := {"ok": true, "message": message} if {
	approval_given
	message := say(["Approved by ", concat(", ", sort(any_approvers)), "."])
} else := {"ok": false, "message": message} if {
	count(exact_missing) > 0
	message := say(["Nobody has approved exactly this change, scope ", concat(", ", sort(exact_missing)), "."])
} else := {"ok": false, "message": message} if {
	count(any_approvers) >= required_approvals
	message := say(["Nobody has approved scope ", concat(", ", sort(missing_scopes)), "."])
} else := {"ok": false, "message": message} if {
	message := say([count(any_approvers), " of ", required_approvals, " ", plural("approval", required_approvals), " in ", environment, "."])
}

# Scopes that the present actions need and that are short of approvals.
missing_scopes contains needed_scope(kind) if {
	some key, kind in kinds
	standings[key] == "approval"
}

# The same where an approval of any change won't do.
exact_missing contains needed_scope(kind) if {
	some key, kind in kinds
	standings[key] == "approval"
	not any_change_will_do(kind)
}

guardrail_item := {"ok": true, "message": say(["Guardrail ", guardrail_status, "."])} if {
	guardrail_ok
} else := {"ok": false, "message": because({"guardrail"})}

environment_item := {"ok": true, "message": message} if {
	environment_ok
	message := say(["Account ", input.plan.account, " is ", environment, "."])
} else := {"ok": false, "message": because({"matrix", "accounts", "identity"})}

region_item := {"ok": true, "message": message} if {
	region_ok
	message := say(["Profile ", profile, ", region ", input.plan.region, "."])
} else := {"ok": false, "message": because({"region"})}

default profile := "(default credentials)"

profile := input.plan.profile if {
	filled(input.plan.profile)
}

permissions_item := {"ok": false, "message": because({"permissions"})} if {
	not permissions_ok
} else := {"ok": false, "message": "Checked when live state is read."} if {
	no_identity
} else := {"ok": true, "message": message} if {
	message := say(["Nothing was refused to ", object.get(input.identity, "arn", "these credentials"), "."])
}

rollback_item := {"ok": true, "message": "Rollback: automatic."} if {
	input.plan.rollback == "automatic"
} else := {"ok": true, "message": "Rollback: manual."} if {
	input.plan.rollback == "manual"
} else := {"ok": true, "message": "Rollback: by procedure."} if {
	rollback_ok
} else := {"ok": false, "message": because({"rollback"})}
