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

enough(scope) if count(approvers[scope]) >= required_approvals

# `state: absent` deletes everything, so its approval must name that, sandbox apart.
absent_needs_approval if {
	absent
	not approval_rules.absent == false
}

covered(action) if {
	enough(action)
	not absent_needs_approval
}

covered(action) if {
	enough(action)
	absent_needs_approval
	enough("delete")
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
