# What a test can expect of an answer.
#   mode        the mode
#   allow       for each action id: whether it is allowed
#   rule        a reason of this rule is given
#   says        the reasons and the checklist contain this text
#   passing     these items of the checklist are ok
#   failing     these aren't
#   checklist   items, exactly
#   keys        the answer has these keys and no others
# (Comprehensions over two variables, `some key, value in …`, are beyond the embedded engine.)
package reconciler_expectations

unmet(answer, expect) := {name | some name in object.keys(expect); not met(name, expect[name], answer)}

met(name, wanted, answer) if {
	name == "mode"
	answer.mode == wanted
}

met(name, wanted, answer) if {
	name == "allow"
	count([id | some id in object.keys(wanted); answer.actions[id].allow == wanted[id]]) == count(wanted)
}

met(name, wanted, answer) if {
	name == "rule"
	some reason in answer.reasons
	reason.rule == wanted
	reason.message != ""
}

met(name, wanted, answer) if {
	name == "says"
	some text in texts(answer)
	contains(text, wanted)
}

met(name, wanted, answer) if {
	name == "passing"
	count([item | some item in wanted; answer.checklist[item].ok == true]) == count(wanted)
}

met(name, wanted, answer) if {
	name == "failing"
	count([item | some item in wanted; answer.checklist[item].ok == false]) == count(wanted)
}

met(name, wanted, answer) if {
	name == "checklist"
	count([item | some item in object.keys(wanted); answer.checklist[item] == wanted[item]]) == count(wanted)
}

met(name, wanted, answer) if {
	name == "keys"
	object.keys(answer) == {key | some key in wanted}
}

texts(answer) := array.concat(
	[reason.message | some reason in answer.reasons],
	[item.message | some item in answer.checklist],
)
