"""CloudWatch: dashboards have tags; those of a call that only updates one are left out, as in AWS."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse

from reconciler.testing.taught.lesson import Lesson, changes

_put, _tag = CloudWatchResponse.put_dashboard, CloudWatchBackend.tag_resource


def put_dashboard(self: Any) -> Any:
    """PutDashboard."""
    backend, name = self.cloudwatch_backend, self._get_param("DashboardName")
    known = name in backend.dashboards
    answer = _put(self)
    if not known:
        arn = backend.dashboards[name].arn
        backend.tagger.delete_all_tags_for_resource(arn)
        backend.tagger.tag_resource(arn, self._get_param("Tags", []))
    return answer


def tag_resource(self: Any, arn: str, tags: dict[str, str]) -> None:
    """TagResource, at the backend."""
    if any(dashboard.arn == arn for dashboard in self.dashboards.values()):
        self.tagger.tag_resource(arn, self.tagger.convert_dict_to_tags_input(tags))
    else:
        _tag(self, arn, tags)


LESSONS = (
    Lesson(
        call="cloudwatch:PutDashboard",
        aws="gives a dashboard that it makes the tags of the call, and leaves those of one that it updates",
        moto="has no tags of dashboards",
        given=(changes(CloudWatchResponse, put_dashboard), changes(CloudWatchBackend, tag_resource)),
    ),
)
