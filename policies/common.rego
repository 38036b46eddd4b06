# Small functions that the other files share.
package reconciler

environment := input.plan.environment

admission if input.phase == "admit"

# An RFC 3339 instant in nanoseconds. The embedded engine doesn't read the suffix Z.
instant(text) := time.parse_rfc3339_ns(concat("", [trim_suffix(text, "Z"), "+00:00"])) if endswith(text, "Z")

instant(text) := time.parse_rfc3339_ns(text) if not endswith(text, "Z")

now := instant(input.now)

filled(text) if {
	is_string(text)
	trim_space(text) != ""
}

# How people are compared.
person(name) := lower(trim_space(name))

absent if input.plan.state == "absent"

# A sentence out of texts and numbers. (The embedded engine's sprintf quotes what other built-ins return.)
say(parts) := concat("", [text(part) | some part in parts])

text(value) := value if is_string(value)

text(value) := sprintf("%v", [value]) if is_number(value)

text(value) := type_name(value) if {
	not is_string(value)
	not is_number(value)
}

plural(noun, number) := noun if number == 1

plural(noun, number) := concat("", [noun, "s"]) if number != 1
