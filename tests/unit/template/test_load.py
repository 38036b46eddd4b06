"""Whole templates: parameters, conditions, resources, outputs, and every way they can be wrong."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from reconciler.model.plan import Target
from reconciler.model.values import Deferred, Sensitive
from reconciler.template import pseudo_parameters
from tests.unit.template._template import TARGET, load, problems_of

VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}


def template(**sections: Any) -> dict[str, Any]:
    return {"Resources": {"Vpc": VPC}, **sections}


def resource(**attributes: Any) -> dict[str, Any]:
    return {"Resources": {"Vpc": {**VPC, **attributes}}}


def test_a_template_comes_out_folded() -> None:
    loaded = load(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "everything",
            "Metadata": {"x": 1},
            "Transform": "AWS::LanguageExtensions",
            "Parameters": {
                "Cidr": {"Type": "String", "Default": "10.0.0.0/16"},
                "Secret": {"Type": "String", "NoEcho": True, "Description": "a password"},
            },
            "Mappings": {"Env": {"development": {"Size": "t3.micro"}}},
            "Conditions": {
                "Big": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
                "Small": {"Fn::Not": [{"Condition": "Big"}]},
                "Any": {"Fn::Or": [{"Condition": "Big"}, {"Condition": "Small"}]},
                "All": {"Fn::And": [{"Condition": "Big"}, {"Condition": "Small"}]},
            },
            "Resources": {
                "Vpc": {
                    "Type": "AWS::EC2::VPC",
                    "Metadata": {"Reconciler": {"adopt": "vpc-0abc"}, "Other": {"x": 1}},
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Snapshot",
                    "Properties": {"CidrBlock": {"Ref": "Cidr"}},
                },
                "Absent": {"Type": "AWS::EC2::VPC", "Condition": "Big", "Properties": {"X": {"Ref": "Vpc"}}},
                "Subnet": {
                    "Type": "AWS::EC2::Subnet",
                    "Condition": "Any",
                    "DependsOn": ["Bucket", "Absent"],
                    "Properties": {"VpcId": {"Ref": "Vpc"}, "Tags": {"Fn::If": ["Small", "s", {"Ref": "Absent"}]}},
                },
                "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Password": {"Fn::Sub": "x${Secret}"}}},
                "Bare": {"Type": "AWS::EC2::InternetGateway", "DependsOn": "Bucket"},
            },
            "Outputs": {
                "VpcId": {
                    "Value": {"Ref": "Vpc"},
                    "Description": "d",
                    "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-vpc"}},
                },
                "Hidden": {"Condition": "All", "Value": {"Ref": "Absent"}},
                "Plain": {"Value": {"Fn::If": ["Big", "big", "small"]}},
            },
        },
        Secret="hunter2",
    )
    assert set(loaded.resources) == {"Vpc", "Subnet", "Bucket", "Bare"}
    vpc, subnet, bucket, bare = (loaded.resources[name] for name in ("Vpc", "Subnet", "Bucket", "Bare"))
    assert (vpc.adopt, vpc.deletion_policy, vpc.update_replace_policy) == ("vpc-0abc", "Retain", "Snapshot")
    assert vpc.properties == {"CidrBlock": "10.0.0.0/16"}
    assert vpc.line == 12
    assert subnet.properties == {"VpcId": Deferred("Ref", "Vpc"), "Tags": "s"}
    assert subnet.needs == {"Vpc", "Bucket"}
    assert bucket.properties == {"Password": Sensitive("xhunter2")}
    assert (bare.needs, bare.properties, bare.deletion_policy) == ({"Bucket"}, {}, "Delete")
    assert [(output.name, output.value, output.export) for output in loaded.outputs] == [
        ("VpcId", Deferred("Ref", "Vpc"), "shop-vpc"),
        ("Plain", "small", None),
    ]
    secret = loaded.parameters[1]
    assert (secret.name, secret.no_echo, secret.value, secret.description) == (
        "Secret",
        True,
        Sensitive("hunter2"),
        "a password",
    )
    assert "hunter2" not in repr(loaded)


def test_resources_written_into_the_plan_declare_their_parameters_by_giving_them() -> None:
    loaded = load(
        {
            "Resources": {
                "Vpc": {
                    "Type": "AWS::EC2::VPC",
                    "Properties": {
                        "A": {"Ref": "Cidr"},
                        "B": {"Ref": "L"},
                        "C": {"Ref": "N"},
                        "D": {"Fn::Sub": "${F}"},
                    },
                }
            }
        },
        Cidr="10.0.0.0/8",
        L=["a", 1],
        N=3,
        F=True,
    )
    assert loaded.resources["Vpc"].properties == {"A": "10.0.0.0/8", "B": ["a", "1"], "C": 3, "D": "true"}  # type: ignore[index]
    assert [parameter.type for parameter in loaded.parameters] == ["String", "CommaDelimitedList", "Number", "String"]


@pytest.mark.parametrize(
    ("declaration", "given", "value"),
    [
        ({"Type": "String"}, 5, "5"),
        ({"Type": "String"}, True, "true"),
        ({"Type": "String", "Default": ""}, None, ""),
        ({"Type": "Number"}, "80", 80),
        ({"Type": "Number"}, 80, 80),
        ({"Type": "Number"}, "1.50", "1.50"),
        ({"Type": "Number"}, "007", "007"),
        ({"Type": "Number", "MinValue": 1, "MaxValue": "100"}, 100, 100),
        ({"Type": "CommaDelimitedList"}, "a, b ,c", ["a", "b", "c"]),
        ({"Type": "CommaDelimitedList"}, ["a", 2], ["a", "2"]),
        ({"Type": "CommaDelimitedList"}, "", []),
        ({"Type": "List<Number>"}, "1,2", ["1", "2"]),
        ({"Type": "List<AWS::EC2::Subnet::Id>"}, "subnet-1,subnet-2", ["subnet-1", "subnet-2"]),
        ({"Type": "AWS::EC2::VPC::Id"}, "vpc-1", "vpc-1"),
        ({"Type": "AWS::SSM::Parameter::Name"}, "/a", "/a"),
        ({"Type": "String", "AllowedValues": [1, "b"]}, "1", "1"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "abc", "abc"),
        ({"Type": "String", "MinLength": 1, "MaxLength": 3}, "abc", "abc"),
    ],
)
def test_parameter_values(declaration: dict[str, Any], given: Any, value: Any) -> None:
    parameters = {} if given is None else {"P": given}
    assert load(template(Parameters={"P": declaration}), **parameters).parameters[0].value == value


@pytest.mark.parametrize(
    ("declaration", "given", "message"),
    [
        ({"Type": "String"}, None, "has no default and the plan gives no value"),
        ({"Type": "Number"}, "eighty", "must be a number"),
        ({"Type": "List<Number>"}, "1,x", "must be a list of numbers"),
        ({"Type": "String"}, {"a": 1}, "must be a string or number, not a mapping"),
        ({"Type": "String"}, [1], "must be a string or number, not a list"),
        ({"Type": "Number", "MinValue": 5}, 4, "must be at least 5"),
        ({"Type": "Number", "MaxValue": 5}, 6, "must be at most 5"),
        ({"Type": "Number", "MaxValue": "x"}, 6, "MaxValue is not a number"),
        ({"Type": "String", "MinLength": 3}, "ab", "at least 3 characters"),
        ({"Type": "String", "MaxLength": 3}, "abcd", "at most 3 characters"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "must be one of a, b"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,c", "must be one of a, b"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "abc1", "doesn't match [a-z]+"),
        ({"Type": "String", "AllowedPattern": "["}, "abc1", "not a regular expression"),
        ({"Type": "AWS::SSM::Parameter::Value<Strnig>"}, "x", "is not a parameter type"),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, "a b", "is no AWS::SSM::Parameter::Name"),
        ({"Type": "AWS::EC2::Nope::Id"}, "x", "is not a parameter type"),
        ({"Type": "AWS::EC2::Subnet::Id"}, "vpc-1", "is no AWS::EC2::Subnet::Id"),
        ({"Type": "List<AWS::EC2::SecurityGroup::Id>"}, "sg-1,sg", "is no AWS::EC2::SecurityGroup::Id"),
        ({"Type": "Strnig"}, "x", "'Strnig' is not a parameter type"),
        ({}, "x", "needs a Type"),
        ("String", "x", "must be a mapping, not a string"),
        ({"Type": "String", "Defualt": 1}, "x", "Defualt is not part of a parameter"),
    ],
)
def test_parameter_mistakes(declaration: Any, given: Any, message: str) -> None:
    found = problems_of(template(Parameters={"P": declaration}), **({} if given is None else {"P": given}))
    assert len(found) == 1
    assert message in found[0].message
    assert found[0].path.startswith("Parameters/P")
    assert found[0].file == "web.cfn.yaml"
    assert found[0].line > 10


def test_a_list_may_be_allowed_as_a_whole() -> None:
    declaration = {"Type": "CommaDelimitedList", "AllowedValues": ["one", "three,four"]}
    assert load(template(Parameters={"P": declaration}), P="three,four").parameters[0].value == ["three", "four"]


def test_a_wrong_parameter_is_not_reported_again_where_it_is_used() -> None:
    document = {
        "Parameters": {
            "A": {"Type": "Number"},
            "B": {"Type": "AWS::SSM::Parameter::Value<Nope>"},
            "C": {"Type": "String"},
        },
        "Conditions": {"Is": {"Fn::Equals": [{"Ref": "B"}, "x"]}},
        "Resources": {
            "Vpc": {
                "Type": "AWS::EC2::VPC",
                "Condition": "Is",
                "Properties": {"A": {"Fn::Cidr": [{"Ref": "C"}, {"Ref": "A"}, 8]}, "B": {"Fn::Sub": "${B}-${A}"}},
            }
        },
    }
    assert [problem.path for problem in problems_of(document, A="x", B="y")] == [
        "Parameters/A",
        "Parameters/B/Type",
        "Parameters/C",
    ]


def test_mapping_keys_that_yaml_reads_as_numbers_are_found() -> None:
    loaded = load(
        {
            "Mappings": {"Accounts": {123456789012: {64: "prod"}}},
            "Resources": {
                "Vpc": {
                    "Type": "AWS::EC2::VPC",
                    "Properties": {"A": {"Fn::FindInMap": ["Accounts", {"Ref": "AWS::AccountId"}, 64]}},
                }
            },
        }
    )
    assert [resource.properties for resource in loaded.resources.values()] == [{"A": "prod"}]


def test_a_refused_secret_is_not_shown() -> None:
    found = problems_of(template(Parameters={"P": {"Type": "String", "NoEcho": "true", "MaxLength": 3}}), P="hunter2")
    assert "hunter2" not in str(found[0])


def test_an_undeclared_parameter_is_refused_with_a_suggestion() -> None:
    found = problems_of(template(Parameters={"Cidr": {"Type": "String", "Default": "x"}}), Cdir="y")
    assert (found[0].suggestion, found[0].reason) == ("did you mean Cidr?", "reference")


@pytest.mark.parametrize(
    ("document", "message", "reason", "path"),
    [
        ({}, "at least one resource", "invalid", ""),
        ({"Resources": {}}, "at least one resource", "invalid", "Resources"),
        ({"Resources": []}, "at least one resource", "invalid", "Resources"),
        (template(Ressources={}), "not a section", "invalid", "Ressources"),
        (template(Rules=[]), "must be a mapping, not a list", "invalid", "Rules"),
        (template(Hooks={}), "Hooks are not supported", "unsupported", "Hooks"),
        (template(Transform="AWS::Serverless-2016-10-31"), "transform AWS::Serverless", "unsupported", "Transform"),
        (template(Transform=["AWS::LanguageExtensions", "Mine"]), "transform Mine", "unsupported", "Transform"),
        (template(Mappings=[]), "must be a mapping, not a list", "invalid", "Mappings"),
        (template(Parameters=[]), "must be a mapping, not a list", "invalid", "Parameters"),
        ({"Resources": {"my-vpc": VPC}}, "not a logical id", "invalid", "Resources/my-vpc"),
        ({"Resources": {"Vpc": "x"}}, "must be a mapping", "invalid", "Resources/Vpc"),
        ({"Resources": {"Vpc": {"Properties": {}}}}, "needs a Type", "invalid", "Resources/Vpc"),
        (resource(Type="Custom::Thing"), "custom resources", "unsupported", "Resources/Vpc/Type"),
        (resource(Type="AWS::CloudFormation::Stack"), "is not supported", "unsupported", "Resources/Vpc/Type"),
        (resource(Type="AWS::CloudFormation::WaitCondition"), "is not supported", "unsupported", "Resources/Vpc/Type"),
        (resource(Type="AWS::CloudFormation::CustomResource"), "is not supported", "unsupported", "Resources/Vpc/Type"),
        (resource(Type="AWS::CloudFormation::Macro"), "is not supported", "unsupported", "Resources/Vpc/Type"),
        (resource(Type="AWS::Serverless::Function"), "SAM transform", "unsupported", "Resources/Vpc/Type"),
        (resource(CreationPolicy="x"), "must be a mapping", "invalid", "Resources/Vpc/CreationPolicy"),
        (
            resource(UpdatePolicy={"CodeDeployLambdaAliasUpdate": {}}),
            "traffic would shift all at once",
            "unsupported",
            "Resources/Vpc/UpdatePolicy/CodeDeployLambdaAliasUpdate",
        ),
        (resource(Propertys={}), "not an attribute", "invalid", "Resources/Vpc/Propertys"),
        (resource(DeletionPolicy="Keep"), "'Keep' is not a DeletionPolicy", "invalid", "Resources/Vpc/DeletionPolicy"),
        (
            resource(UpdateReplacePolicy="RetainExceptOnCreate"),
            "is not a UpdateReplacePolicy",
            "invalid",
            "Resources/Vpc/UpdateReplacePolicy",
        ),
        (resource(Condition="Nope"), "no condition 'Nope'", "reference", "Resources/Vpc/Condition"),
        (resource(Condition={"Ref": "x"}), "must be the name of a condition", "invalid", "Resources/Vpc/Condition"),
        (resource(DependsOn="Nope"), "no resource 'Nope'", "reference", "Resources/Vpc/DependsOn"),
        (resource(DependsOn=[1]), "names of resources", "invalid", "Resources/Vpc/DependsOn"),
        (resource(DependsOn="Vpc"), "Vpc -> Vpc", "cycle", "Resources/Vpc"),
        (resource(Properties=[1]), "Properties must be a mapping, not a list", "invalid", "Resources/Vpc/Properties"),
        (resource(Properties={"X": {"Ref": "Vpc"}}), "Vpc -> Vpc", "cycle", "Resources/Vpc"),
        (resource(Properties={"X": "{{resolve:ssm:/a"}), "not closed", "reference", "Resources/Vpc/Properties"),
        (
            resource(Metadata={"Reconciler": {"adopts": "x"}}),
            "adopts is not known",
            "invalid",
            "Resources/Vpc/Metadata/Reconciler/adopts",
        ),
        (
            resource(Metadata={"Reconciler": {"adopt": 5}}),
            "identifier of an existing",
            "invalid",
            "Resources/Vpc/Metadata/Reconciler/adopt",
        ),
        (resource(Metadata={"Reconciler": []}), "must be a mapping", "invalid", "Resources/Vpc/Metadata/Reconciler"),
        (template(Conditions={"A": "x"}), "must be one of Fn::Equals", "reference", "Conditions/A"),
        (template(Conditions={"A": {"Fn::Equal": [1, 2]}}), "not a condition function", "reference", "Conditions/A"),
        (
            template(Conditions={"A": {"Fn::Equals": [{"Ref": "Vpc"}, 2]}}),
            "'Vpc'",
            "reference",
            "Conditions/A/Fn::Equals/0/Ref",
        ),
        (
            template(Conditions={"A": {"Fn::Equals": ["{{resolve:ssm:/a}}", 2]}}),
            "can't depend on a resource",
            "reference",
            "Conditions/A",
        ),
        (template(Conditions={"A": {"Condition": "B"}}), "no condition 'B'", "reference", "Conditions/A"),
        (template(Conditions={"A": {"Fn::Not": [{"Condition": "A"}]}}), "A -> A", "cycle", "Conditions/A"),
        (
            template(Conditions={"A": {"Fn::And": [{"Fn::Equals": [1, 1]}]}}),
            "list of 2 to 10",
            "reference",
            "Conditions/A",
        ),
        (template(Outputs={"O": {}}), "needs a Value", "invalid", "Outputs/O"),
        (template(Outputs={"O": {"Value": 1, "Exprot": 1}}), "not part of an output", "invalid", "Outputs/O/Exprot"),
        (template(Outputs={"O": {"Value": {"Ref": "Nope"}}}), "'Nope'", "reference", "Outputs/O/Value/Ref"),
        (template(Outputs={"O": {"Value": 1, "Export": "x"}}), "needs a Name", "invalid", "Outputs/O/Export"),
        (
            template(Outputs={"O": {"Value": 1, "Export": {"Name": ["x"]}}}),
            "must be a string",
            "invalid",
            "Outputs/O/Export",
        ),
        (
            template(Outputs={"O": {"Value": 1, "Export": {"Name": {"Ref": "Vpc"}}}}),
            "can't depend on a resource",
            "reference",
            "Outputs/O/Export",
        ),
        (
            template(Outputs={"O": {"Value": 1, "Export": {"Name": "x"}}, "P": {"Value": 1, "Export": {"Name": "x"}}}),
            "same name",
            "invalid",
            "Outputs/P",
        ),
        (
            template(Outputs={"O": {"Value": 1, "Condition": "Nope"}}),
            "no condition",
            "reference",
            "Outputs/O/Condition",
        ),
    ],
)
def test_mistakes(document: dict[str, Any], message: str, reason: str, path: str) -> None:
    found = problems_of(document)
    assert message in found[0].message
    assert (found[0].reason, found[0].path) == (reason, path)
    assert found[0].file == "web.cfn.yaml"
    if message != "at least one resource":
        assert len(found) == 1


def test_every_mistake_is_reported_once_with_its_place() -> None:
    found = problems_of(
        {
            "Parameters": {"P": {"Type": "Number"}},
            "Resources": {
                "A": {"Type": "AWS::EC2::VPC", "Properties": {"X": {"Ref": "P"}, "Y": {"Ref": "Q"}}},
                "B": {"Type": "AWS::EC2::VPC", "DeletionPolicy": "x"},
                "C": {"Type": "Custom::X"},
            },
        }
    )
    assert [problem.path for problem in found] == [
        "Parameters/P",
        "Resources/A/Properties/Y/Ref",
        "Resources/B/DeletionPolicy",
        "Resources/C/Type",
    ]


def test_each_circle_is_named() -> None:
    def needs(*names: str) -> dict[str, Any]:
        return {"Type": "AWS::EC2::VPC", "DependsOn": list(names)}

    found = problems_of(
        {
            "Resources": {
                "A": needs("B"),
                "B": needs("C"),
                "C": needs("A"),
                "D": needs("E"),
                "E": needs("D"),
                "F": needs("A"),
            }
        }
    )
    assert all(problem.reason == "cycle" for problem in found)
    circles = [problem.message.rpartition(": ")[2].split(" -> ") for problem in found]
    assert sorted(sorted(set(circle)) for circle in circles) == [["A", "B", "C"], ["D", "E"]]
    edges = {"A": "B", "B": "C", "C": "A", "D": "E", "E": "D"}
    assert all(edges[left] == right for circle in circles for left, right in itertools.pairwise(circle))


def test_what_a_stack_alone_does_is_kept_for_it() -> None:
    signal = {"ResourceSignal": {"Count": {"Fn::If": ["Two", 2, 1]}, "Timeout": "PT5M"}}
    rolling = {"AutoScalingRollingUpdate": {"MinInstancesInService": {"Ref": "Other"}}}
    sections = {
        "Conditions": {"Two": {"Fn::Equals": [1, 2]}},
        "Resources": {"Vpc": {**VPC, "CreationPolicy": signal, "UpdatePolicy": rolling}, "Other": VPC},
    }
    found = load(sections).resources["Vpc"]
    assert found.by_stack == {
        "CreationPolicy": {"ResourceSignal": {"Count": 1, "Timeout": "PT5M"}},
        "UpdatePolicy": {"AutoScalingRollingUpdate": {"MinInstancesInService": Deferred("Ref", "Other")}},
    }
    assert found.needs == {"Other"}


def test_what_the_cdk_counts_itself_by_is_left_out() -> None:
    counted = {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:x"}, "Condition": "Counted"}
    counts = {"Counted": {"Fn::Equals": [{"Ref": "AWS::Region"}, TARGET.region]}}
    loaded = load({"Conditions": counts, "Resources": {"Vpc": VPC, "CDKMetadata": counted}})
    assert list(loaded.resources) == ["Vpc"]


def test_a_reference_to_a_resource_left_out_by_its_condition_is_an_error() -> None:
    found = problems_of(
        {
            "Conditions": {"No": {"Fn::Equals": [1, 2]}},
            "Resources": {
                "Vpc": {**VPC, "Condition": "No"},
                "S": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}},
            },
        }
    )
    assert "its condition leaves out" in found[0].message
    assert "Fn::If" in found[0].suggestion


def test_databases_keep_a_snapshot_unless_told_otherwise() -> None:
    loaded = load(
        {
            "Resources": {
                "Cluster": {"Type": "AWS::RDS::DBCluster"},
                "Alone": {"Type": "AWS::RDS::DBInstance"},
                "Member": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBClusterIdentifier": {"Ref": "Cluster"}}},
                "Told": {"Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Delete"},
            }
        }
    )
    assert {str(name): item.deletion_policy for name, item in loaded.resources.items()} == {
        "Cluster": "Snapshot",
        "Alone": "Snapshot",
        "Member": "Delete",
        "Told": "Delete",
    }


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-central-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
    ],
)
def test_pseudo_parameters_know_the_partition(region: str, partition: str, suffix: str) -> None:
    found = pseudo_parameters(Target("sandbox", "123456789012", region), "p")
    assert (found["AWS::Partition"], found["AWS::URLSuffix"]) == (partition, suffix)


def test_the_stack_id_is_stable_and_has_the_usual_parts() -> None:
    first, again = pseudo_parameters(TARGET, "shop")["AWS::StackId"], pseudo_parameters(TARGET, "shop")["AWS::StackId"]
    assert first == again
    assert first.startswith("arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/")
    assert first != pseudo_parameters(TARGET, "shop2")["AWS::StackId"]


def test_a_section_of_a_transform_is_not_called_a_mistake_beside_it() -> None:
    document = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {},
        "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
    }
    assert [one.reason for one in problems_of(document)] == ["unsupported"]
    without = {key: value for key, value in document.items() if key != "Transform"}
    assert [one.message for one in problems_of(without)] == ["Globals is not a section of a template"]
