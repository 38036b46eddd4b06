"""Fn::ForEach: loops in Conditions, Resources, Outputs and properties, as AWS's language extensions write them out."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.values import Deferred
from tests.unit.template._template import load, problems_of


def topics(*names: Any, **more: Any) -> dict[str, Any]:
    body = {
        "Topic${Name}": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": {"Fn::Join": [".", [{"Ref": "Name"}, "fifo"]]}, "FifoTopic": True},
        }
    }
    return {
        "Transform": "AWS::LanguageExtensions",
        "Resources": {"Fn::ForEach::Topics": ["Name", list(names), body]},
        **more,
    }


def test_a_loop_makes_one_resource_for_each_item() -> None:
    loaded = load(topics("Success", "Failure"))
    assert {name: item.properties["TopicName"] for name, item in loaded.resources.items()} == {
        "TopicSuccess": "Success.fifo",
        "TopicFailure": "Failure.fifo",
    }


def test_the_collection_may_be_a_parameter_or_a_mapping() -> None:
    document = topics()
    document["Parameters"] = {"Names": {"Type": "CommaDelimitedList", "Default": "a,b"}}
    document["Resources"]["Fn::ForEach::Topics"][1] = {"Ref": "Names"}
    assert set(load(document).resources) == {"Topica", "Topicb"}
    assert set(load(document, Names="c").resources) == {"Topicc"}
    document["Mappings"] = {"All": {"dev": {"Names": ["x", "y"]}}}
    document["Resources"]["Fn::ForEach::Topics"][1] = {"Fn::FindInMap": ["All", "dev", "Names"]}
    assert set(load(document).resources) == {"Topicx", "Topicy"}


def test_what_is_no_letter_or_digit_is_left_out_of_a_name_by_an_ampersand() -> None:
    document = topics("10.0.0.0/8", "a-b")
    body = document["Resources"]["Fn::ForEach::Topics"][2]
    document["Resources"]["Fn::ForEach::Topics"][2] = {"Topic&{Name}": body["Topic${Name}"]}
    loaded = load(document)
    assert set(loaded.resources) == {"Topic100008", "Topicab"}
    assert loaded.resources["Topicab"].properties["TopicName"] == "a-b.fifo"  # type: ignore[index]


def test_loops_nest_and_stand_in_properties_conditions_and_outputs() -> None:
    resource = {
        "Type": "AWS::SQS::Queue",
        "Condition": "Is${Env}",
        "Properties": {
            "QueueName": {"Fn::Sub": "${Env}-${Kind}-${AWS::Region}"},
            "Fn::ForEach::Settings": ["Setting", ["DelaySeconds", "VisibilityTimeout"], {"${Setting}": 30}],
        },
    }
    document = {
        "Transform": ["AWS::LanguageExtensions"],
        "Conditions": {
            "Fn::ForEach::Which": ["Env", ["Dev", "Prod"], {"Is${Env}": {"Fn::Equals": [{"Ref": "Env"}, "Dev"]}}]
        },
        "Resources": {
            "Fn::ForEach::Envs": [
                "Env",
                ["Dev", "Prod"],
                {"Fn::ForEach::Kinds": ["Kind", ["Jobs", "Mail"], {"Queue${Env}${Kind}": resource}]},
            ]
        },
        "Outputs": {
            "Fn::ForEach::Arns": [
                "Kind",
                ["Jobs", "Mail"],
                {"Arn${Kind}": {"Value": {"Fn::GetAtt": ["QueueDev${Kind}", "Arn"]}}},
            ]
        },
    }
    loaded = load(document)
    assert set(loaded.resources) == {"QueueDevJobs", "QueueDevMail"}
    assert loaded.resources["QueueDevJobs"].properties == {  # type: ignore[index]
        "QueueName": "Dev-Jobs-eu-central-1",
        "DelaySeconds": 30,
        "VisibilityTimeout": 30,
    }
    assert {output.name: output.value for output in loaded.outputs} == {
        "ArnJobs": Deferred("Fn::GetAtt", ["QueueDevJobs", "Arn"]),
        "ArnMail": Deferred("Fn::GetAtt", ["QueueDevMail", "Arn"]),
    }


def test_a_loop_over_nothing_makes_nothing() -> None:
    document = topics()
    document["Resources"]["Own"] = {"Type": "AWS::SNS::Topic"}
    assert set(load(document).resources) == {"Own"}


def test_a_literal_and_other_variables_stay() -> None:
    document = topics("a")
    properties = document["Resources"]["Fn::ForEach::Topics"][2]["Topic${Name}"]["Properties"]
    properties["TopicName"] = {"Fn::Sub": "${!Name}-${Name}-${AWS::AccountId}"}
    assert load(document).resources["Topica"].properties["TopicName"] == "${Name}-a-123456789012"  # type: ignore[index]


@pytest.mark.parametrize(
    ("loop", "message"),
    [
        ("x", "takes a list: [identifier, collection, {key: value}]"),
        (["Name", ["a"]], "takes a list"),
        (["Na me", ["a"], {"T${Na me}": {}}], "the identifier must be a name"),
        (["Name", "a", {"T${Name}": {}}], "the collection must be a list of texts, not a string"),
        (["Name", [["a"]], {"T${Name}": {}}], "the collection must be a list of texts"),
        (["Name", {"Ref": "Nobody"}, {"T${Name}": {}}], "no parameter, pseudo parameter or resource of that name"),
        (["Name", ["a", "b"], {"Topic": {}}], "must hold ${Name}"),
        (["Name", ["a"], {"Own${Name}": {"Type": "AWS::SNS::Topic"}}], "makes Owna, which is there already"),
        (["Name", ["a-b"], {"T${Name}": {"Type": "AWS::SNS::Topic"}}], "'Ta-b' is not a logical id"),
        (["Name", [str(n) for n in range(1001)], {"T${Name}": {}}], "1001 items, more than 1000"),
    ],
)
def test_a_loop_that_is_wrong_is_refused_with_its_place(loop: Any, message: str) -> None:
    document = {"Resources": {"Fn::ForEach::Loop": loop, "Owna": {"Type": "AWS::SNS::Topic"}}}
    found = problems_of(document)
    assert any(message in problem.message for problem in found), found
    assert all(problem.path.startswith("Resources/") for problem in found)


def test_two_loops_of_one_name_are_refused() -> None:
    document = topics("a")
    document["Outputs"] = {"Fn::ForEach::Topics": ["X", ["a"], {"Out${X}": {"Value": "x"}}]}
    assert any("that no other loop has" in problem.message for problem in problems_of(document))


def test_loops_within_loops_are_bounded() -> None:
    many = [str(n) for n in range(200)]
    inner = {"Fn::ForEach::B": ["B", many, {"Q${A}x${B}": {"Type": "AWS::SQS::Queue"}}]}
    document = {"Resources": {"Fn::ForEach::A": ["A", many, inner]}}
    assert any("more than 20000 entries" in problem.message for problem in problems_of(document))


def test_a_problem_in_what_a_loop_made_is_located_at_the_loop() -> None:
    document = topics("a")
    document["Resources"]["Fn::ForEach::Topics"][2]["Topic${Name}"]["Nope"] = 1
    (problem,) = problems_of(document)
    assert problem.path == "Resources/Topica/Nope"
    assert problem.line == 10 + len(("Resources", "Fn::ForEach::Topics"))


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ("AWS::Serverless-2016-10-31", "it is the SAM transform, which CloudFormation runs"),
        (["AWS::LanguageExtensions", "MyMacro"], "transform MyMacro is not supported"),
        ({"Name": "AWS::Include", "Parameters": {"Location": "s3://x"}}, "copies in a file from S3"),
    ],
)
def test_any_other_transform_is_refused_with_a_clear_word(transform: Any, message: str) -> None:
    found = problems_of({"Transform": transform, "Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    assert any(message in problem.message and problem.reason == "unsupported" for problem in found), found
