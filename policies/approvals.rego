# Who approved what. The daemon has checked digest, signature and signer; here is decided what counts.
package reconciler

default default_approval_rules := {}

default_approval_rules := data.approvals["default"] if {
	is_object(data.approvals["default"])
}

default own_approval_rules := {}

own_approval_rules := data.approvals[environment] if {
	is_object(data.approvals[environment])
}

approval_rules := object.union(default_approval_rules, own_approval_rules)

default required_approvals := 1

required_approvals := ceil(approval_rules.required) if {
	is_number(approval_rules.required)
	approval_rules.required >= 1
}

approvals := object.get(input, "approvals", [])

four_eyes_waived if approval_rules.four_eyes == false

# Each condition says when an approval counts; a negation around a call that fails would say the opposite.
by_another(_) if four_eyes_waived

by_another(approval) if {
	filled(input.plan.author)
	person(approval.approver) != person(input.plan.author)
}

in_time(approval) if {
	expires := instant(approval.expiresAt)
	expires > now
}

unrestricted if {
	object.get(approval_rules, "approvers", []) in [[], null]
	object.get(approval_rules, "roles", []) in [[], null]
}

entitled_people contains person(name) if some name in object.get(approval_rules, "approvers", [])

entitled_people contains person(name) if {
	some role in object.get(approval_rules, "roles", [])
	some name in data.roles[role]
}

entitled(_) if unrestricted

entitled(approval) if person(approval.approver) in entitled_people

verified(approval) if approval.verified == true

counts(approval) if {
	verified(approval)
	filled(approval.approver)
	in_time(approval)
	by_another(approval)
	entitled(approval)
}

# The different people whose approval counts, by scope.
approvers[scope] contains person(approval.approver) if {
	some approval in approvals
	counts(approval)
	some scope in approval.scope
}

any_approvers contains name if {
	some scope
	some name in approvers[scope]
}

# The same of those who have approved exactly this change, not any change to this content of the plan.
exact_approvers[scope] contains person(approval.approver) if {
	some approval in approvals
	counts(approval)
	approval.change == "exact"
	some scope in approval.scope
}

default exact_actions := []

exact_actions := approval_rules.exact if not is_null(approval_rules.exact)

exact_actions_understood if {
	is_array(exact_actions)
	count([1 | some name in exact_actions; name in known_actions]) == count(exact_actions)
}

# Whether an approval of any change will do. Where the list can't be understood none will.
any_change_will_do(kind) if {
	exact_actions_understood
	count([1 | some name in exact_actions; name in {kind.action, kind.original}]) == 0
}

enough(kind, scope) if {
	any_change_will_do(kind)
	count(approvers[scope]) >= required_approvals
}

enough(_, scope) if count(exact_approvers[scope]) >= required_approvals

deletion := {"action": "delete", "original": "delete"}

# `state: absent` deletes everything, so its approval must name that, sandbox apart.
absent_needs_approval if {
	absent
	not approval_rules.absent == false
}

# A rollback has an approval of its own, whatever the matrix allows.
no_rollback(kind) if kind.action != "rollback"

no_rollback(_) if approval_rules.rollback == false

# Deliveries of which an action that opens something further needs an approval, whatever the matrix allows.
default broadening := []

broadening := approval_rules.broadening if not is_null(approval_rules.broadening)

no_broadening(kind) if kind.further == "harmless"

no_broadening(_) if {
	is_array(broadening)
	filled(input.plan.delivery)
	count([1 | some name in broadening; name == input.plan.delivery]) == 0
}

# Whether the matrix alone decides, so that "allowed" is enough.
matrix_decides(kind) if kind.operation == "git"

matrix_decides(kind) if {
	not absent_needs_approval
	no_rollback(kind)
	no_broadening(kind)
	any_change_will_do(kind)
}

covered(kind) if {
	enough(kind, kind.action)
	not absent_needs_approval
}

covered(kind) if {
	enough(kind, kind.action)
	absent_needs_approval
	enough(deletion, "delete")
}

not_counted contains {"rule": "approvals", "message": message} if {
	some approval in approvals
	not counts(approval)
	message := say(["The approval by ", object.get(approval, "approver", "nobody"), " doesn't count: ", why_not_counted(approval), "."])
}

# One that counts for what it has left says what it has lost.
not_counted contains {"rule": "approvals", "message": message} if {
	some approval in approvals
	counts(approval)
	filled(approval.reason)
	message := say(["The approval by ", approval.approver, " counts in part: ", trim_suffix(approval.reason, "."), "."])
}

why_not_counted(approval) := trim_suffix(approval.reason, ".") if {
	not verified(approval)
	filled(approval.reason)
} else := "it isn't verified" if {
	not verified(approval)
} else := "it names no approver" if {
	not filled(approval.approver)
} else := "it has expired" if {
	not in_time(approval)
} else := "the author of a plan can't approve it" if {
	not by_another(approval)
} else := "this person may not approve here"
