# What may be done where: the permission matrix, and which account is which environment. Both are data.
package reconciler

cell(operation) := data.matrix[environment][operation]

environment_known if is_object(data.matrix[environment])

account_environments contains name if {
	name := data.accounts[input.plan.account]
	is_string(name)
}

account_environments contains name if {
	listed := data.accounts[input.plan.account]
	is_array(listed)
	some name in listed
}

account_ok if environment in account_environments

# Before any AWS call nobody knows whose credentials these are; afterwards there is no change without knowing.
identity_ok if admission

identity_ok if input.identity.account == input.plan.account

identity_ok if {
	no_identity
	count(input.actions) == 0
}

no_identity if not input.identity

no_identity if is_null(input.identity)

environment_ok if {
	environment_known
	account_ok
	identity_ok
}

denials contains {"rule": "matrix", "message": message} if {
	not environment_known
	message := say(["Environment ", environment, " has no row in the permission matrix."])
}

denials contains {"rule": "accounts", "message": message} if {
	count(account_environments) == 0
	message := say(["Account ", input.plan.account, " isn't listed, so nobody said which environment it is."])
}

denials contains {"rule": "accounts", "message": message} if {
	count(account_environments) > 0
	not account_ok
	listed := concat(", ", sort(account_environments))
	message := say(["Account ", input.plan.account, " is ", listed, ", not ", environment, "."])
}

denials contains {"rule": "identity", "message": message} if {
	not admission
	is_object(input.identity)
	not identity_ok
	message := say(["The credentials belong to account ", object.get(input.identity, "account", "unknown"), ", the plan is for ", input.plan.account, "."])
}

denials contains {"rule": "identity", "message": message} if {
	not admission
	no_identity
	not identity_ok
	message := "Nobody knows whose credentials these are, so nothing may be changed with them."
}
