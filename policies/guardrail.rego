# The outcome of the compliance check, which is made elsewhere: passed, or documented exceptions still in force.
package reconciler

default guardrail := {}

guardrail := input.plan.guardrail if is_object(input.plan.guardrail)

guardrail_status := object.get(guardrail, "status", "missing")

guardrail_exceptions := object.get(guardrail, "exceptions", [])

documented(exception) if {
	filled(exception.rule)
	filled(exception.reason)
	filled(exception.approvedBy)
}

in_force(exception) if instant(exception.expires) > now

any_exception if {
	is_array(guardrail_exceptions)
	count(guardrail_exceptions) > 0
}

guardrail_ok if guardrail_status == "passed"

guardrail_ok if {
	guardrail_status == "exceptions"
	is_array(guardrail_exceptions)
	count(guardrail_exceptions) > 0
	count([exception | some exception in guardrail_exceptions; documented(exception); in_force(exception)]) == count(guardrail_exceptions)
}

denials contains {"rule": "guardrail", "message": "The guardrail check failed."} if guardrail_status == "failed"

denials contains {"rule": "guardrail", "message": message} if {
	not guardrail_status in {"passed", "exceptions", "failed"}
	message := say(["The guardrail's status is ", guardrail_status, "; only passed or documented exceptions will do."])
}

denials contains {"rule": "guardrail", "message": message} if {
	guardrail_status == "exceptions"
	not any_exception
	message := "The guardrail passed with exceptions, but none is documented."
}

denials contains {"rule": "guardrail", "message": message} if {
	guardrail_status == "exceptions"
	some exception in guardrail_exceptions
	not documented(exception)
	message := say(["Guardrail exception ", exception_name(exception), " needs a rule, a reason and who approved it."])
}

denials contains {"rule": "guardrail", "message": message} if {
	guardrail_status == "exceptions"
	some exception in guardrail_exceptions
	documented(exception)
	not in_force(exception)
	message := say(["Guardrail exception ", exception.rule, " expired ", object.get(exception, "expires", "at an unknown time"), "."])
}

exception_name(exception) := exception.rule if filled(exception.rule)

exception_name(exception) := "without a rule" if not filled(exception.rule)
