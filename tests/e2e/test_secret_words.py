"""A secret may be an ordinary word, which names of resources have in them too: those are kept as they are."""

from __future__ import annotations

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text, queue

RESOURCES = {
    "Jobs": queue("admin-jobs"),
    "Login": {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "/shop/admin", "Type": "String", "Value": {"Ref": "User"}},
    },
}


def test_a_resource_that_is_called_like_a_secret_is_found_again(lab: Lab) -> None:
    parameters = {"User": {"Type": "String", "NoEcho": True, "Default": "admin"}}
    template = lab.desired / "shop.cfn.yaml"
    template.write_text(f"Parameters: {parameters}\nResources: {RESOURCES}\n")
    text = plan_text("shop", {}).replace("  resources: {}\n", "  template: shop.cfn.yaml\n")
    lab.write(text)
    assert lab.run("shop").state is PlanState.IN_SYNC
    kept = {str(name): record.identifier for name, record in lab.app.store.records(PlanName("shop")).items()}
    assert kept == {"Jobs": f"{lab.aws.endpoint}/{SANDBOX}/admin-jobs", "Login": "/shop/admin"}
    lab.aws.reset_calls()
    report = lab.run("shop")
    assert (report.state, report.changes) == (PlanState.IN_SYNC, ())
    assert not {name for name in lab.aws.mutations() if name != "sts:AssumeRole"}
    urls = lab.aws.client("sqs", account=SANDBOX).list_queues()["QueueUrls"]
    assert [url.rpartition("/")[2] for url in urls] == ["admin-jobs"]
    lab.write(text.replace("  rollback: automatic", "  rollback: automatic\n  state: absent"))
    assert lab.run("shop").state is PlanState.IN_SYNC
    assert lab.aws.client("sqs", account=SANDBOX).list_queues().get("QueueUrls", []) == []
