# What the other test files build their questions from.
package reconciler_fixtures

# A case of a test: this question, under data.yaml as shipped, has this answer.
case(given, expect) := case_under({}, given, expect)

# The same with top-level keys of data.yaml replaced.
case_under(changes, given, expect) := {"given": given, "data": changes, "expect": expect}

every_item := ["approved", "guardrail", "environment", "profile_and_region", "permissions", "rollback"]

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
	"rolling_back": null,
}

action(id, operation, name) := {
	"id": id,
	"operation": operation,
	"action": name,
	"original": name,
	"type": "AWS::EC2::VPC",
	"before": null,
	"after": {},
	"paths": [],
	"loss": [],
}

approval(approver, scope) := {
	"name": "a",
	"approver": approver,
	"verified": true,
	"reason": "",
	"scope": scope,
	"ticket": "",
	"expiresAt": later,
	"change": "any",
}

# An approval of exactly the change under review.
exactly(approver, scope) := object.union(approval(approver, scope), {"change": "exact"})

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

# The same as a part of a rollback to an earlier revision.
rollback(environment, operation, name) := with_keys(with_plan(review(environment, operation, name), {"rolling_back": 3}), {"actions": [object.union(
	action("A", operation, name),
	{"action": "rollback"},
)]})

# A question with keys of the plan replaced.
with_plan(question, changes) := object.union(question, {"plan": object.union(question.plan, changes)})

# object.union merges objects; a guardrail or a rollback is to be replaced whole.
with_guardrail(question, guardrail) := object.union(
	object.remove(question, ["plan"]),
	{"plan": object.union(object.remove(question.plan, ["guardrail"]), {"guardrail": guardrail})},
)

exception := {"rule": "S3.1", "reason": "legacy", "approvedBy": "ciso@example.com", "expires": later}

# A question with keys of its own replaced.
with_keys(question, changes) := object.union(object.remove(question, object.keys(changes)), changes)

# One entry of a key of data.yaml replaced whole.
replaced(values, key, value) := object.union(object.remove(values, [key]), {key: value})
