"""Every intrinsic function, by the examples of its page in the CloudFormation user guide and at its edges."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import SourceError
from reconciler.model.values import Deferred, Sensitive, Unknown
from reconciler.template import fold, resolve
from tests.unit.template._template import Live, make_scope

VPC = Deferred("Ref", "Vpc")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"Ref": "Env"}, "dev"),
        ({"Ref": "Names"}, ["a", "b", "c"]),
        ({"Ref": "AWS::Region"}, "eu-central-1"),
        ({"Ref": "AWS::AccountId"}, "123456789012"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
        ({"Ref": "AWS::StackName"}, "shop"),
        ({"Ref": "AWS::NotificationARNs"}, []),
        ({"Fn::Base64": "AWS CloudFormation"}, "QVdTIENsb3VkRm9ybWF0aW9u"),
        ({"Fn::Base64": "grüße"}, "Z3LDvMOfZQ=="),
        ({"Fn::Join": [":", ["a", "b", "c"]]}, "a:b:c"),
        (
            {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::elasticbeanstalk-*"]]},
            "arn:aws:s3:::elasticbeanstalk-*",
        ),
        ({"Fn::Join": [",", {"Ref": "Names"}]}, "a,b,c"),
        ({"Fn::Join": ["-", [1, True, False, 2.5, "x"]]}, "1-true-false-2.5-x"),
        ({"Fn::Join": [",", []]}, ""),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}, "b"]]}, "a-b"),
        ({"Fn::Split": ["|", "a|b|c"]}, ["a", "b", "c"]),
        ({"Fn::Split": ["|", "a||c|"]}, ["a", "", "c", ""]),
        ({"Fn::Select": [2, {"Fn::Split": [",", "x,y,z"]}]}, "z"),
        ({"Fn::Select": ["1", ["apples", "grapes", "oranges", "mangoes"]]}, "grapes"),
        ({"Fn::Select": [0, {"Ref": "Names"}]}, "a"),
        ({"Fn::Select": [{"Ref": "Count"}, [0, 1, 2, {"Ref": "Env"}]]}, "dev"),
        ({"Fn::Length": [1, 2, 3]}, 3),
        ({"Fn::Length": {"Ref": "Names"}}, 3),
        ({"Fn::Length": {"Fn::Split": ["|", "a|b"]}}, 2),
        ({"Fn::ToJsonString": {"key1": "value1", "key2": {"Ref": "Env"}}}, '{"key1":"value1","key2":"dev"}'),
        ({"Fn::ToJsonString": [1, True, {"Ref": "AWS::NoValue"}, "ü"]}, '[1,true,"ü"]'),
        ({"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "Ami"]}, "ami-1"),
        ({"Fn::FindInMap": ["Regions", "eu-central-1", "Zones"]}, ["x", "y"]),
        ({"Fn::FindInMap": ["Regions", "mars-1", "Ami", {"DefaultValue": {"Ref": "Env"}}]}, "dev"),
        ({"Fn::FindInMap": ["Absent", "mars-1", "Ami", {"DefaultValue": 7}]}, 7),
        ({"Fn::If": ["Yes", "a", "b"]}, "a"),
        ({"Fn::If": ["No", "a", {"Ref": "Env"}]}, "dev"),
        ({"Fn::If": ["No", {"Ref": "Gone"}, "b"]}, "b"),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": 2}, {"b": 2}),
        ([1, {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, 2], [1, 2]),
        ({"Ref": "AWS::NoValue"}, None),
        ({"Fn::Sub": "www.${Env}.example.com"}, "www.dev.example.com"),
        (
            {"Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc/x"},
            "arn:aws:ec2:eu-central-1:123456789012:vpc/x",
        ),
        ({"Fn::Sub": ["www.${Domain}", {"Domain": {"Ref": "Env"}}]}, "www.dev"),
        ({"Fn::Sub": ["${Env}", {"Env": "shadowed"}]}, "shadowed"),
        ({"Fn::Sub": ["${A.B}", {"A.B": "dotted"}]}, "dotted"),
        ({"Fn::Sub": "${!Literal} and ${Count}"}, "${Literal} and 3"),
        ({"Fn::Sub": "no variables, $, {}, $Env and 100%"}, "no variables, $, {}, $Env and 100%"),
        ({"Fn::Sub": ""}, ""),
        ({"Fn::Sub": "${ Env }"}, "dev"),
        ({"Fn::Sub": ["${X}", {"X": True}]}, "true"),
        ({"Ref": "Vpc"}, VPC),
        ({"Fn::GetAtt": ["Db", "Endpoint.Address"]}, Deferred("Fn::GetAtt", ["Db", "Endpoint.Address"])),
        ({"Fn::GetAtt": "Db.Endpoint.Address"}, Deferred("Fn::GetAtt", ["Db", "Endpoint.Address"])),
        ({"Fn::GetAtt": ["Db", "Endpoint", "Port"]}, Deferred("Fn::GetAtt", ["Db", "Endpoint.Port"])),
        (
            {"Fn::GetAtt": [{"Fn::Join": ["", ["D", "b"]]}, {"Fn::Join": ["", ["Endpoint", ".Port"]]}]},
            Deferred("Fn::GetAtt", ["Db", "Endpoint.Port"]),
        ),
        ({"Ref": {"Fn::Join": ["", ["V", "pc"]]}}, Deferred("Ref", "Vpc")),
        ({"Fn::GetAZs": ""}, Deferred("Fn::GetAZs", "eu-central-1")),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, Deferred("Fn::GetAZs", "eu-central-1")),
        ({"Fn::GetAZs": "us-east-1"}, Deferred("Fn::GetAZs", "us-east-1")),
        ({"Fn::ImportValue": {"Fn::Sub": "${Env}-vpc"}}, Deferred("Fn::ImportValue", "dev-vpc")),
        ({"Fn::Sub": "${Vpc}/x"}, Deferred("Fn::Join", ["", [VPC, "/x"]])),
        ({"Fn::Select": [0, [{"Ref": "Vpc"}, "b"]]}, VPC),
        ({"Fn::Length": [{"Ref": "Vpc"}, "b"]}, Deferred("Fn::Length", [VPC, "b"])),
        ({"Ref": "x", "Other": 1}, {"Ref": "x", "Other": 1}),
        ({"Condition": "x"}, {"Condition": "x"}),
    ],
)
def test_folds_to(node: Any, expected: Any) -> None:
    assert fold(node, make_scope()) == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (["192.168.0.0/24", 6, 5], [f"192.168.0.{n * 32}/27" for n in range(6)]),
        (["10.0.0.0/16", 3, 8], ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        (["10.0.0.0/16", "2", "13"], ["10.0.0.0/19", "10.0.32.0/19"]),
        (["2001:db8::/56", 2, 64], ["2001:db8::/64", "2001:db8:0:1::/64"]),
        (["10.0.0.0/16", 1, 16], ["10.0.0.0/16"]),
        (["10.0.0.0/16", 256, 8], [f"10.0.{n}.0/24" for n in range(256)]),
    ],
)
def test_divides_a_network(argument: list[Any], expected: list[str]) -> None:
    assert fold({"Fn::Cidr": argument}, make_scope()) == expected


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"Fn::Cidr": ["10.0.0.0/24", 6, 8]}, "holds 1 networks of 8 host bits, not 6"),
        ({"Fn::Cidr": ["10.0.0.0/24", 1, 9]}, "can't be divided"),
        ({"Fn::Cidr": ["10.0.0.0/16", 257, 8]}, "from 1 to 256"),
        ({"Fn::Cidr": ["10.0.0.0/16", 0, 8]}, "from 1 to 256"),
        ({"Fn::Cidr": ["10.0.0.0/16", "many", 8]}, "must be a whole number"),
        ({"Fn::Cidr": ["not a network", 1, 8]}, "not a network"),
        ({"Fn::Cidr": ["10.0.0.0/16", 2]}, "third argument"),
        ({"Fn::Select": [3, ["a", "b", "c"]]}, "index 3 is out of range, the list has 3 items"),
        ({"Fn::Select": [-1, ["a"]]}, "index -1 is out of range"),
        ({"Fn::Select": [0, []]}, "out of range"),
        ({"Fn::Select": [0, "abc"]}, "must be a list"),
        ({"Fn::Select": ["x", ["a"]]}, "must be a whole number"),
        ({"Fn::Join": [",", "abc"]}, "must be a list"),
        ({"Fn::Join": [",", [["a"]]]}, "a string is needed, but a list was given"),
        ({"Fn::Join": [","]}, "takes a list of 2 values"),
        ({"Fn::Split": ["", "abc"]}, "delimiter"),
        ({"Fn::Split": [",", ["a"]]}, "a string is needed"),
        ({"Fn::Base64": {"a": 1}}, "a string is needed"),
        ({"Fn::Base64": {"Ref": "AWS::NoValue"}}, "can't take AWS::NoValue"),
        ({"Fn::Length": "abc"}, "a list is needed"),
        ({"Fn::ToJsonString": "abc"}, "a list or mapping is needed"),
        ({"Fn::Sub": "${Nope}"}, "'Nope': there is no parameter, pseudo parameter or resource"),
        ({"Fn::Sub": "${Nope.Arn}"}, "'Nope': there is no resource"),
        ({"Fn::Sub": "${a b}"}, "isn't a name"),
        ({"Fn::Sub": "${}"}, "isn't a name"),
        ({"Fn::Sub": "${Names}"}, "is a list"),
        ({"Fn::Sub": ["${X}", {"X": {"Ref": "AWS::NoValue"}}]}, "is nothing"),
        ({"Fn::Sub": ["x"]}, "takes a list of 2 values"),
        ({"Fn::Sub": 5}, "takes a string, or a list"),
        ({"Fn::Sub": {"Fn::Transform": "x"}}, "takes a string, or a list"),
        ({"Fn::GetStackOutput": "x"}, "Fn::GetStackOutput is not supported"),
        ({"Fn::Sub": ["x", "y"]}, "takes a string, or a list"),
        ({"Fn::FindInMap": ["Nope", "a", "b"]}, "no mapping 'Nope'"),
        ({"Fn::FindInMap": ["Regions", "eu-central-2", "Ami"]}, "no key 'eu-central-2'"),
        ({"Fn::FindInMap": ["Regions", {"Ref": "Vpc"}, "Ami"]}, "must be known from the template"),
        ({"Fn::FindInMap": ["Regions", "a"]}, "takes a list of 3 to 4"),
        ({"Fn::FindInMap": ["Regions", "a", "b", "c"]}, "DefaultValue"),
        ({"Fn::If": ["Maybe", 1, 2]}, "no condition 'Maybe'"),
        ({"Fn::If": ["Yes", 1]}, "takes a list of 3 values"),
        ({"Fn::If": [True, 1, 2]}, "name of a condition"),
        ({"Fn::If": ["Yes", 1, {"Ref": "Nope"}]}, "'Nope'"),
        ({"Ref": ["Vpc"]}, "Ref takes a name"),
        ({"Ref": "Gone"}, "its condition leaves out"),
        ({"Fn::GetAtt": ["Gone", "Arn"]}, "its condition leaves out"),
        ({"Fn::GetAtt": "Vpc"}, "takes a resource and an attribute"),
        ({"Fn::GetAtt": ["Vpc", {"Ref": "Bucket"}]}, "both names must be known"),
        ({"Fn::GetAtt": [{"Ref": "Bucket"}, "Arn"]}, "both names must be known"),
        ({"Fn::GetAtt": [{"Ref": "Nope"}, "Arn"]}, "no parameter, pseudo parameter or resource"),
        ({"Ref": {"Ref": "Bucket"}}, "Ref takes a name, but"),
        ({"Ref": {"Ref": "Nope"}}, "no parameter, pseudo parameter or resource"),
        ({"Fn::ImportValue": ["x"]}, "takes the name of an export"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "Fn::Transform is not supported"),
        ({"Fn::ForEach::Loop": ["x", ["a"], {}]}, "Fn::ForEach is not supported"),
        ({"Fn::Fold": 1}, "is not an intrinsic function"),
        ({"Fn::Sub": "x", "Other": 1}, "only key"),
        ("{{resolve:vault:x}}", "unknown service 'vault'"),
        ("{{resolve:ssm: }}", "names nothing"),
        ({"Fn::Equals": [1]}, "takes a list of 2 values"),
    ],
)
def test_refuses(node: Any, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        fold({"Properties": [node]}, make_scope())
    assert message in str(caught.value)
    assert len(caught.value.problems) == 1, "one mistake is one problem"
    assert caught.value.problems[0].path.startswith("Properties/0")


@pytest.mark.parametrize(
    ("node", "suggestion"),
    [
        ({"Ref": "Buckett"}, "did you mean Bucket?"),
        ({"Ref": "env"}, "did you mean Env?"),
        ({"Ref": "AWS::Acount"}, "did you mean AWS::AccountId?"),
        ({"Fn::GetAtt": "Bucet.Arn"}, "did you mean Bucket?"),
        ({"Fn::Substitute": "x"}, "did you mean Fn::Sub?"),
        ({"Fn::GetAtts": "x"}, "did you mean Fn::GetAtt?"),
        ({"Fn::FindInMap": ["Region", "eu-central-1", "Ami"]}, "did you mean Regions?"),
        ({"Fn::FindInMap": ["Regions", "eu-central-1", "ami"]}, "did you mean Ami?"),
        ({"Fn::If": ["Yess", 1, 2]}, "did you mean Yes?"),
    ],
)
def test_suggests_the_right_name(node: Any, suggestion: str) -> None:
    with pytest.raises(SourceError) as caught:
        fold(node, make_scope())
    assert caught.value.problems[0].suggestion == suggestion


def test_reports_every_problem_not_just_the_first() -> None:
    with pytest.raises(SourceError) as caught:
        fold(
            {"A": {"Ref": "X1"}, "B": [{"Ref": "X2"}, {"Fn::Join": [",", [{"Ref": "X3"}, {"Ref": "X4"}]]}]},
            make_scope(),
        )
    assert [problem.path for problem in caught.value.problems] == [
        "A/Ref",
        "B/0/Ref",
        "B/1/Fn::Join/1/0/Ref",
        "B/1/Fn::Join/1/1/Ref",
    ]


@pytest.mark.parametrize(
    "node",
    [
        {"Ref": "Password"},
        {"Fn::Sub": "user:${Password}"},
        {"Fn::Join": ["", ["x", {"Ref": "Password"}]]},
        {"Fn::Base64": {"Fn::Sub": "user:${Password}"}},
        {"Fn::ToJsonString": {"p": {"Ref": "Password"}}},
        {"Fn::Select": [0, {"Fn::Split": ["n", {"Ref": "Password"}]}]},
        {"Fn::Split": ["n", {"Ref": "Password"}]},
    ],
)
def test_what_contains_a_secret_is_a_secret(node: Any) -> None:
    result = fold(node, make_scope())
    assert isinstance(result, Sensitive)
    assert "hunter2" not in repr(result)


def test_a_secret_hides_in_what_is_not_known_yet() -> None:
    result = resolve(fold({"Fn::Sub": "${Password}@${Vpc}"}, make_scope()), Live())
    assert result == Unknown("(sensitive)@${Vpc}")


def test_conditions_may_compare_a_secret() -> None:
    scope = make_scope()
    assert fold({"Fn::Equals": [{"Ref": "Password"}, "hunter2"]}, scope) is True
    assert fold({"Fn::Not": [{"Fn::Equals": [{"Ref": "Password"}, "x"]}]}, scope) is True


@pytest.mark.parametrize(
    ("node", "asked", "clear"),
    [
        ("{{resolve:ssm:/app/key:3}}", [("ssm", "/app/key:3")], "<ssm:/app/key:3>"),
        ("{{resolve:ssm-secure:/app/key}}", [("ssm-secure", "/app/key")], "<ssm-secure:/app/key>"),
        (
            "u={{resolve:secretsmanager:db:SecretString:user}};p={{resolve:secretsmanager:db:SecretString:pass}}",
            [("secretsmanager", "db:SecretString:user"), ("secretsmanager", "db:SecretString:pass")],
            "u=<secretsmanager:db:SecretString:user>;p=<secretsmanager:db:SecretString:pass>",
        ),
        (
            {"Fn::Sub": "{{resolve:secretsmanager:${Db}:SecretString:password}}"},
            [("secretsmanager", "arn:x:db:SecretString:password")],
            "<secretsmanager:arn:x:db:SecretString:password>",
        ),
        ({"Fn::Sub": "{{resolve:ssm:/app/${Env}}}"}, [("ssm", "/app/dev")], "<ssm:/app/dev>"),
        (
            {"Fn::Join": ["", ["{{resolve:ssm:/app/", {"Ref": "Env"}, "}}"]]},
            [("ssm", "/app/dev")],
            "<ssm:/app/dev>",
        ),
    ],
)
def test_dynamic_references_are_looked_up_at_use(node: Any, asked: list[tuple[str, str]], clear: str) -> None:
    live = Live(references={"Db": "arn:x:db"})
    result = resolve(fold(node, make_scope()), live)
    assert live.asked == asked
    assert isinstance(result, Sensitive)
    assert result.reveal() == clear


def test_a_parameter_may_hold_a_dynamic_reference() -> None:
    scope = make_scope(parameters={"P": "{{resolve:ssm:/p}}", "S": Sensitive("x{{resolve:ssm:/s}}")})
    assert fold({"Ref": "P"}, scope) == Deferred("Resolve", ["ssm", "/p"])
    assert resolve(fold({"Ref": "S"}, scope), Live()).reveal() == "x<ssm:/s>"
    assert fold({"Fn::Sub": "a-${P}"}, scope) == Deferred("Fn::Join", ["", ["a-", Deferred("Resolve", ["ssm", "/p"])]])


def test_text_read_from_aws_is_never_searched_for_dynamic_references() -> None:
    live = Live(references={"Db": "{{resolve:secretsmanager:admin}}"})
    result = resolve(fold([{"Ref": "Db"}, {"Fn::Sub": "x${Db}"}], make_scope()), live)
    assert result == ["{{resolve:secretsmanager:admin}}", "x{{resolve:secretsmanager:admin}}"]
    assert live.asked == []
    smuggled = Live(references={"Db": "a}}{{resolve:secretsmanager:admin"})
    with pytest.raises(SourceError, match="is not followed"):
        resolve(fold({"Fn::Sub": "{{resolve:ssm:${Db}}}"}, make_scope()), smuggled)
    assert smuggled.asked == []


def test_resolving_evaluates_what_folding_deferred() -> None:
    node = {
        "Subnet": {"Fn::Select": [1, {"Fn::Cidr": [{"Fn::GetAtt": "Vpc.CidrBlock"}, 4, 8]}]},
        "Zone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
        "Imported": {"Fn::ImportValue": "net-vpc"},
        "Vpc": {"Ref": "Vpc"},
        "Name": {"Fn::Sub": "${Vpc}-x"},
        "List": ["a", {"Ref": "Vpc"}],
        "Port": {"Fn::GetAtt": "Db.Endpoint.Port"},
    }
    live = Live(attributes={"Vpc.CidrBlock": "10.1.0.0/16", "Db.Endpoint.Port": 5432})
    assert resolve(fold(node, make_scope()), live) == {
        "Subnet": "10.1.1.0/24",
        "Zone": "eu-central-1a",
        "Imported": "vpc-imported",
        "Vpc": Unknown("Vpc"),
        "Name": Unknown("${Vpc}-x"),
        "List": ["a", Unknown("Vpc")],
        "Port": 5432,
    }


def test_live_values_that_do_not_fit_are_an_error() -> None:
    folded = fold({"Fn::Select": [5, {"Fn::GetAZs": ""}]}, make_scope())
    with pytest.raises(SourceError, match="index 5 is out of range, the list has 3 items"):
        resolve(folded, Live())


def test_nesting_without_end_is_refused() -> None:
    node: Any = "x"
    for _ in range(150):
        node = {"a": node}
    with pytest.raises(SourceError, match="levels deep"):
        fold(node, make_scope())
