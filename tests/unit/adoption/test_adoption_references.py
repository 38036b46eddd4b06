"""References between imported resources: where it is certain, and nowhere else."""

from __future__ import annotations

from typing import Any

from reconciler.adoption.found import Draft, Reference
from reconciler.adoption.references import with_references
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.resource import Observation

REGION = "eu-central-1"
VPC, SUBNET, GROUP = "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup"


class Plan:
    """Drafts in the making; live state is what the plan says and what AWS adds to it."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.live: dict[LogicalId, Observation] = {}

    def add(
        self,
        name: str,
        type_name: str,
        identifier: str,
        properties: dict[str, Any],
        *,
        needs: tuple[str, ...] = (),
        **own: Any,
    ) -> None:
        depends_on = tuple(LogicalId(need) for need in needs)
        draft = Draft(LogicalId(name), TypeName(type_name), Identifier(identifier), properties, depends_on=depends_on)
        self.drafts.append(draft)
        self.live[draft.logical_id] = Observation(draft.identifier, {**properties, **own})

    def written(self) -> dict[str, Any]:
        found = with_references(self.drafts, self.live, REGION)
        self.depends_on = {str(draft.logical_id): draft.depends_on for draft in found}
        return {str(draft.logical_id): _written(dict(draft.properties)) for draft in found}


def _written(value: Any) -> Any:
    if isinstance(value, Reference):
        return value.written()
    if isinstance(value, dict):
        return {key: _written(item) for key, item in value.items()}
    return [_written(item) for item in value] if isinstance(value, list) else value


def test_ids_and_arns_become_references() -> None:
    plan = Plan()
    plan.add("Net", VPC, "vpc-0123456789abcdef0", {"CidrBlock": "10.0.0.0/16"}, VpcId="vpc-0123456789abcdef0")
    plan.add("A", SUBNET, "subnet-0123456789abcdef0", {"VpcId": "vpc-0123456789abcdef0"})
    dead = "arn:aws:sqs:eu-central-1:111122223333:dead"
    url = "https://sqs.eu-central-1.amazonaws.com/111122223333/dead"
    plan.add("Dead", "AWS::SQS::Queue", url, {"QueueName": "dead"}, Arn=dead, QueueUrl=url)
    plan.add("Jobs", "AWS::SQS::Queue", "https://sqs/jobs", {"RedrivePolicy": {"deadLetterTargetArn": dead}})
    found = plan.written()
    assert found["A"] == {"VpcId": {"Ref": "Net"}}
    assert found["Jobs"] == {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}}
    assert found["Dead"] == {"QueueName": "dead"}


def test_a_name_is_a_reference_only_where_it_is_known_what_it_names() -> None:
    plan = Plan()
    plan.add("Bucket", "AWS::S3::Bucket", "web", {"BucketName": "web"}, Arn="arn:aws:s3:::web")
    plan.add("Role", "AWS::IAM::Role", "web", {"RoleName": "web", "Description": "web"}, Arn="arn:aws:iam::1:role/web")
    plan.add("Policy", "AWS::S3::BucketPolicy", "web", {"Bucket": "web", "PolicyDocument": {"Id": "web"}})
    plan.add("Profile", "AWS::IAM::InstanceProfile", "p", {"Roles": ["web"]})
    plan.add("Trail", "AWS::CloudTrail::Trail", "t", {"S3BucketName": "web", "S3KeyPrefix": "web", "IsLogging": True})
    plan.add("Group", GROUP, "sg-0123456789abcdef0", {"GroupDescription": "web", "GroupName": "web"})
    found = plan.written()
    assert found["Policy"] == {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Id": "web"}}
    assert found["Profile"] == {"Roles": [{"Ref": "Role"}]}
    assert found["Trail"] == {"S3BucketName": {"Ref": "Bucket"}, "S3KeyPrefix": "web", "IsLogging": True}
    assert found["Group"] == {"GroupDescription": "web", "GroupName": "web"}
    assert found["Role"] == {"RoleName": "web", "Description": "web"}


def test_nothing_refers_to_itself_or_in_a_circle() -> None:
    plan = Plan()
    first, second = "sg-0123456789abcdef0", "sg-0123456789abcdef1"
    rules = [
        {"IpProtocol": "tcp", "SourceSecurityGroupId": first},
        {"IpProtocol": "tcp", "SourceSecurityGroupId": second},
    ]
    plan.add("A", GROUP, first, {"SecurityGroupIngress": rules}, GroupId=first)
    plan.add("B", GROUP, second, {"SecurityGroupIngress": rules}, GroupId=second)
    found = plan.written()
    assert [rule["SourceSecurityGroupId"] for rule in found["A"]["SecurityGroupIngress"]] == [first, {"Ref": "B"}]
    assert [rule["SourceSecurityGroupId"] for rule in found["B"]["SecurityGroupIngress"]] == [first, second]


def test_what_has_to_be_there_first_wins_over_what_is_only_mentioned() -> None:
    """A key's policy names a role; the role's policy names the key: the create-only one of two is kept."""
    plan = Plan()
    role, net = "arn:aws:iam::111122223333:role/r", "vpc-0123456789abcdef0"
    plan.add("Net", VPC, net, {"CidrBlock": "10.0.0.0/16", "Ipv4IpamPoolId": "ipam"}, VpcId=net)
    plan.add(
        "Group", GROUP, "sg-0123456789abcdef0", {"VpcId": net, "GroupDescription": "g"}, GroupId="sg-0123456789abcdef0"
    )
    plan.add(
        "Role", "AWS::IAM::Role", "r", {"Policies": [{"PolicyDocument": {"Resource": "arn:aws:kms:::key/k"}}]}, Arn=role
    )
    plan.add("Key", "AWS::KMS::Key", "k", {"KeyPolicy": {"Principal": role}}, Arn="arn:aws:kms:::key/k", KeyId="k")
    found = plan.written()
    assert found["Group"]["VpcId"] == {"Ref": "Net"}
    circle = [found["Key"]["KeyPolicy"]["Principal"], found["Role"]["Policies"][0]["PolicyDocument"]["Resource"]]
    assert circle == [{"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:kms:::key/k"]


def test_of_two_that_are_called_alike_neither_is_referred_to() -> None:
    plan = Plan()
    arn = "arn:aws:sns:eu-central-1:111122223333:news"
    for name in ("One", "Two"):
        plan.add(name, "AWS::SNS::Topic", arn, {"TopicName": "news"}, TopicArn=arn)
    plan.add("Sub", "AWS::SNS::Subscription", "s", {"TopicArn": arn, "Protocol": "sqs"})
    assert plan.written()["Sub"]["TopicArn"] == arn


def test_tags_are_left_as_they_are_and_depends_on_goes_where_it_says_nothing_more() -> None:
    plan = Plan()
    net = "vpc-0123456789abcdef0"
    plan.add("Net", VPC, net, {"CidrBlock": "10.0.0.0/16"}, VpcId=net)
    plan.add("Other", VPC, "vpc-0123456789abcdef1", {"CidrBlock": "10.1.0.0/16"})
    properties = {"VpcId": net, "Tags": [{"Key": "of", "Value": net}]}
    plan.add("A", SUBNET, "subnet-0123456789abcdef0", properties, needs=("Net", "Other"))
    assert plan.written()["A"] == {"VpcId": {"Ref": "Net"}, "Tags": [{"Key": "of", "Value": net}]}
    assert plan.depends_on["A"] == ("Other",)
