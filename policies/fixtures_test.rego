# What the other test files build their questions from.
package reconciler_fixtures

# The decision on a question. (The embedded engine can't replace the whole input where functions read it.)
decide(question) := answer if {
	answer := data.reconciler.decision with input.phase as question.phase
		with input.plan as question.plan
		with input.approvals as question.approvals
		with input.identity as question.identity
		with input.permissions as question.permissions
		with input.actions as question.actions
		with input.totals as question.totals
		with input.now as question.now
}

now := "2026-11-23T09:00:00+00:00"

later := "2026-12-23T09:00:00+00:00"

accounts := {
	"sandbox": "111111111111",
	"development": "222222222222",
	"staging": "333333333333",
	"production": "444444444444",
	"test": "555555555555",
}

plan(environment) := {
	"name": "web",
	"author": "alice@example.com",
	"environment": environment,
	"account": accounts[environment],
	"region": "eu-central-1",
	"profile": null,
	"delivery": "resources",
	"labels": {},
	"digest": "sha256:0",
	"state": "present",
	"guardrail": {"status": "passed", "reference": "", "exceptions": []},
	"rollback": "automatic",
}

action(id, operation, name) := {
	"id": id,
	"operation": operation,
	"action": name,
	"type": "AWS::EC2::VPC",
	"before": null,
	"after": {},
	"paths": [],
}

approval(approver, scope) := {
	"name": "a",
	"approver": approver,
	"verified": true,
	"reason": "",
	"scope": scope,
	"ticket": "",
	"expiresAt": later,
}

# A review of one action.
review(environment, operation, name) := {
	"phase": "review",
	"plan": plan(environment),
	"approvals": [],
	"identity": {"account": accounts[environment], "arn": "arn:aws:iam::1:role/ops"},
	"permissions": {"missing": []},
	"actions": [action("A", operation, name)],
	"totals": {"resources": 10, "deletes": 0, "replaces": 0},
	"now": now,
}

# A question with keys of the plan replaced.
with_plan(question, changes) := object.union(question, {"plan": object.union(question.plan, changes)})

# object.union merges objects; a guardrail or a rollback is to be replaced whole.
with_guardrail(question, guardrail) := object.union(
	object.remove(question, ["plan"]),
	{"plan": object.union(object.remove(question.plan, ["guardrail"]), {"guardrail": guardrail})},
)

exception := {"rule": "S3.1", "reason": "legacy", "approvedBy": "ciso@example.com", "expires": later}
