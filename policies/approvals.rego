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

self_approved(approval) if {
	not four_eyes_waived
	not by_another(approval)
}

by_another(approval) if {
	filled(input.plan.author)
	not same_person(approval.approver, input.plan.author)
}

expired(approval) if not instant(approval.expiresAt) > now

restricted if count(object.get(approval_rules, "approvers", [])) > 0

restricted if count(object.get(approval_rules, "roles", [])) > 0

entitled contains lower(trim_space(person)) if some person in object.get(approval_rules, "approvers", [])

entitled contains lower(trim_space(person)) if {
	some role in object.get(approval_rules, "roles", [])
	some person in data.roles[role]
}

not_entitled(approval) if {
	restricted
	not lower(trim_space(approval.approver)) in entitled
}

verified(approval) if approval.verified == true

counts(approval) if {
	verified(approval)
	filled(approval.approver)
	not expired(approval)
	not self_approved(approval)
	not not_entitled(approval)
}

# The different people whose approval counts, by scope.
approvers[scope] contains lower(trim_space(approval.approver)) if {
	some approval in approvals
	counts(approval)
	some scope in approval.scope
}

any_approvers contains person if {
	some scope
	some person in approvers[scope]
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

why_not_counted(approval) := trim_suffix(object.get(approval, "reason", "not verified"), ".") if {
	not verified(approval)
	filled(object.get(approval, "reason", "not verified"))
} else := "it isn't verified" if {
	not verified(approval)
} else := "it names no approver" if {
	not filled(approval.approver)
} else := "it has expired" if {
	expired(approval)
} else := "the author of a plan can't approve it" if {
	self_approved(approval)
} else := say([approval.approver, " isn't among those who may approve for ", environment]) if {
	not_entitled(approval)
}
