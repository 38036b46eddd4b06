# How a test puts its cases to the policies. A case is {"given": a question, "data": what is different in data.yaml,
# "expect": see expectations_test.rego}. A test that holds cases runs on every engine: `opa test` evaluates this file;
# the embedded engine, which can't cope with the keyword `with`, gets a hold() of its own from `reconciler policy test`.
package reconciler_harness

import data.reconciler_expectations as expectations

hold(cases) if {
	count(cases) > 0
	every case in cases {
		answer := decide(case)
		unmet := expectations.unmet(answer, case.expect)
		print(unmet, answer)
		count(unmet) == 0
	}
}

shipped["matrix"] := data.matrix

shipped["accounts"] := data.accounts

shipped["approvals"] := data.approvals

shipped["roles"] := data.roles

shipped["blast_radius"] := data.blast_radius

shipped["windows"] := data.windows

shipped["freezes"] := data.freezes

value(case, key) := object.get(case.data, key, object.get(shipped, key, null))

decide(case) := answer if {
	answer := data.reconciler.decision with input as case.given
		with data.matrix as value(case, "matrix")
		with data.accounts as value(case, "accounts")
		with data.approvals as value(case, "approvals")
		with data.roles as value(case, "roles")
		with data.blast_radius as value(case, "blast_radius")
		with data.windows as value(case, "windows")
		with data.freezes as value(case, "freezes")
}
