"""The printed policy is the truth: what an estate of every native type calls is allowed, and little else is."""

from __future__ import annotations

from typing import Any

from reconciler import wiring
from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from reconciler.providers.actions import action_of
from reconciler.providers.levels import READ_LEVELS, access_level
from reconciler.providers.needs import EXPLAINING
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import FakeClock
from tests.e2e.conftest import ESTATE, SANDBOX, Lab
from tests.e2e.running import Shell, plan_text, queue

#: Allowed, but not called here: what AWS checks along with a call, and what only other situations take.
UNCALLED = {
    "s3:TagResource": "checked with s3:CreateBucket, whose tags go with it",
    "iam:PassRole": "checked with iam:AddRoleToInstanceProfile",
    "sts:GetCallerIdentity": "needs no permission, but an organisation may deny it",
    "iam:DeletePolicyVersion": "from the sixth content of a policy on",
    "ec2:ReplaceRoute": "another target of the same kind",
    "kms:UpdateAlias": "another key",
    "kms:CancelKeyDeletion": "the deletion of a key is undone",
    "kms:EnableKey": "the deletion of a key is undone",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress": "another description of a rule",
    "iam:UntagPolicy": "another role",
    "logs:DeleteRetentionPolicy": "no retention any more",
    **dict.fromkeys(EXPLAINING, "a quota was met, or others keep changing a property"),
}
#: SDK service by signing name, where they differ.
SERVICES = {"tagging": "resourcegroupstaggingapi"}


def statements(shell: Shell, account: str = SANDBOX) -> list[dict[str, Any]]:
    """The statements for an account, as the command prints them."""
    answer = shell("iam-policy", "--output", "json")
    assert answer.code == 0, answer.err
    own = [policy for policy in answer.json["policies"] if policy["account"] == account]
    return [statement for policy in own for statement in policy["document"]["Statement"]]


def called(aws: LocalAws) -> set[str]:
    """The IAM actions behind the calls that reached the account."""
    return {_action(*name.split(":")) for name in aws.calls(SANDBOX) if not name.startswith("sts:")}


def _action(service: str, operation: str) -> str:
    action = action_of(SERVICES.get(service, service), operation)
    assert action, f"no IAM action is known for {service}:{operation}"
    return action


def run(lab: Lab, text: str) -> None:
    lab.write(text)
    report = lab.run("estate")
    assert report.state is PlanState.IN_SYNC, report.message


def behind_our_back(lab: Lab) -> None:
    """Drift in what a plan that hasn't changed wouldn't touch otherwise."""
    identifier = {name: record.identifier for name, record in lab.app.store.records(PlanName("estate")).items()}
    client = lab.aws.client
    with lab.aws.uncounted():
        ec2, iam = client("ec2", account=SANDBOX), client("iam", account=SANDBOX)
        ec2.modify_vpc_attribute(VpcId=identifier["Vpc"], EnableDnsHostnames={"Value": False})
        ec2.revoke_security_group_ingress(
            GroupId=identifier["Web"],
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ],
        )
        ec2.delete_tags(Resources=[identifier["Gateway"]], Tags=[{"Key": "reconciler:plan"}])
        iam.detach_role_policy(RoleName="estate-role", PolicyArn=identifier["Managed"])
        client("kms", account=SANDBOX).disable_key_rotation(KeyId=identifier["Key"])
        iam.untag_role(RoleName="estate-role", TagKeys=OWN)
        client("kms", account=SANDBOX).untag_resource(KeyId=identifier["Key"], TagKeys=OWN)
        client("ssm", account=SANDBOX).remove_tags_from_resource(
            ResourceType="Parameter", ResourceId="/estate/setting", TagKeys=OWN
        )
        client("sns", account=SANDBOX).untag_resource(ResourceArn=identifier["Topic"], TagKeys=OWN)
        place = f"us-east-1:{SANDBOX}"
        table, group = f"arn:aws:dynamodb:{place}:table/estate-items", f"arn:aws:logs:{place}:log-group:/estate"
        client("dynamodb", account=SANDBOX).untag_resource(ResourceArn=table, TagKeys=OWN)
        client("logs", account=SANDBOX).untag_resource(resourceArn=group, tagKeys=OWN)
        tags = [{"Key": "reconciler:plan", "Value": "estate"}]
        client("s3", account=SANDBOX).put_bucket_tagging(Bucket="estate-bucket", Tagging={"TagSet": tags})
        client("sqs", account=SANDBOX).tag_queue(QueueUrl=identifier["Queue"], Tags={"team": "ops"})


#: What the plan owns its resources by.
OWN = ["reconciler:id"]

CHANGES: tuple[tuple[str, str], ...] = (
    ("EnableDnsSupport: true\n        Tags: [{Key: Name, Value: estate}]", "EnableDnsSupport: true\n        Tags: []"),
    ("Properties: {Tags: [{Key: Name, Value: gate}]}", "Properties: {Tags: []}"),
    ("MapPublicIpOnLaunch: true", "MapPublicIpOnLaunch: false"),
    ("- {IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8}", ""),
    (
        "- {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}",
        "- {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0, Description: anybody}",
    ),
    (
        '- {IpProtocol: "-1", CidrIp: 0.0.0.0/0}',
        "- {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8, Description: us}",
    ),
    ("Description: for the estate", "Description: for the whole estate"),
    ("Action: sts:AssumeRole}]", "Action: [sts:AssumeRole, sts:TagSession]}]"),
    ("- PolicyName: inline", "- PolicyName: another"),
    ('Action: "sqs:SendMessage"', 'Action: "sqs:ReceiveMessage"'),
    ("VisibilityTimeout: 45, Tags: [{Key: team, Value: web}]", "VisibilityTimeout: 46, Tags: []"),
    ("DisplayName: Estate", "DisplayName: The estate"),
    ("DeletionProtectionEnabled: false", "DeletionProtectionEnabled: true"),
    ("RetentionInDays: 14", "RetentionInDays: 30"),
    ("Value: one", "Value: two"),
    ("Description: estate key\n        EnableKeyRotation: true", "Description: key\n        EnableKeyRotation: false"),
    ("Action: kms:*", 'Action: ["kms:*", "kms:List*"]'),
)


def changed(text: str) -> str:
    """The estate with whatever can be changed in place changed, and its own tags dropped."""
    for before, after in CHANGES:
        assert before in text, before
        text = text.replace(before, after)
    return text


def test_what_an_estate_calls_is_what_is_allowed(lab: Lab) -> None:
    """Created, drifted and repaired, changed, changed back, deleted."""
    lab.app.close()
    lab.app = wiring.build(lab.settings(), clock=FakeClock())
    text = ESTATE.read_text()
    lab.write(text)
    allowed = {action for statement in statements(Shell(lab)) for action in statement["Action"]}
    run(lab, text)
    behind_our_back(lab)
    run(lab, text)
    run(lab, changed(text))
    run(lab, text)
    run(lab, text.replace("  rollback: automatic", "  rollback: automatic\n  state: absent"))
    used = called(lab.aws)
    assert used - allowed == set()
    assert sorted(allowed - used - UNCALLED.keys()) == []
    assert UNCALLED.keys() - allowed == set()


def test_what_a_read_only_target_calls_is_allowed_and_only_reads(lab: Lab) -> None:
    text = ESTATE.read_text()
    run(lab, text)
    lab.aws.reset_calls()
    lab.write(text)
    # Whether a target is written is the configuration's word, not the plan's.
    lab.open(aws={**lab.settings().aws.model_dump(), "writable_environments": ["development"]})
    allowed = {
        action
        for statement in statements(Shell(lab, RECONCILER_AWS__WRITABLE_ENVIRONMENTS='["development"]'))
        for action in statement["Action"]
    }
    assert lab.preview("estate").changes.changes == ()
    assert called(lab.aws) - allowed == set()
    assert {access_level(*action.split(":")) for action in allowed} <= READ_LEVELS


def test_the_command_for_people_and_for_the_process_itself(lab: Lab) -> None:
    lab.write(plan_text("jobs", {"Queue": queue("jobs")}), "jobs.yaml")
    lab.write(plan_text("live", {"Queue": queue("live")}, environment="production"), "live.yaml")
    answer = Shell(lab)("iam-policy")
    assert answer.code == 0
    assert answer.too_wide() == []
    titles = [line for line in answer.out.splitlines() if line.startswith("# ")]
    assert [title for title in titles if "characters" not in title] == [
        "# For the process itself: to assume the roles of the accounts",
        "# Account 111111111111 (sandbox), reads and writes, policy 1 of 1",
        "# Account 444444444444 (production), reads only, policy 1 of 1",
    ]
    assert "arn:aws:iam::444444444444:role/reconciler" in answer.out
    documents = Shell(lab)("iam-policy", "jobs", "--output", "json").json["policies"]
    assert [(each["account"], each.get("read_only")) for each in documents] == [(None, None), (SANDBOX, False)]
    assert Shell(lab)("iam-policy", "nobody").code == 1
