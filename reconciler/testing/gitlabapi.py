"""GitLab's REST API as far as merge requests need it, in its documented shapes, on loopback:
``https://docs.gitlab.com/api/merge_requests``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reconciler.testing.forges import ForgeServer, Pull

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

_AT = "2026-11-23T09:00:00.000Z"
_DRAFT = "Draft: "
_STATES = {"open": "opened"}


class GitLabServer(ForgeServer):
    """A GitLab with one project."""

    def authorised(self, request: Request) -> bool:
        return request.headers.get("PRIVATE-TOKEN") == self.token

    def unauthorised(self) -> tuple[int, Any]:
        return 401, {"message": "401 Unauthorized"}

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.path == "/api/v4/users":
            name = request.args.get("username", "")
            return 200, [{"id": 100 + self.people.index(name), "username": name}] if name in self.people else []
        # the path as it came: %2F is part of the project's name
        raw = str(request.environ.get("RAW_URI") or request.environ["REQUEST_URI"]).partition("?")[0]
        prefix = f"/api/v4/projects/{quote(self.project, safe='')}/merge_requests"
        if not raw.startswith(prefix):
            return 404, {"message": "404 Project Not Found"}
        parts = [part for part in raw.removeprefix(prefix).split("/") if part]
        if not parts:
            return self._created(request.get_json()) if request.method == "POST" else (200, self._listed(request))
        pull = self.pull_of(int(parts[0]))
        if pull is None:
            return 404, {"message": "404 Not found"}
        if parts[1:] == ["notes"]:
            pull.comments.append(request.get_json()["body"])
            return 201, {"id": len(pull.comments), "body": pull.comments[-1], "created_at": _AT}
        return 200, self._shown(self._changed(pull, request.get_json()) if request.method == "PUT" else pull)

    def _listed(self, request: Request) -> list[Any]:
        branch, state = request.args.get("source_branch", ""), request.args.get("state", "all")
        pulls = [one for one in self.pulls if branch in ("", one.head)]
        pulls = [one for one in pulls if state in ("all", _STATES.get(one.state, one.state))]
        return [self._shown(one) for one in sorted(pulls, key=lambda one: -one.number)]

    def _created(self, asked: dict[str, Any]) -> tuple[int, Any]:
        heads = self.heads()
        for name in ("source_branch", "target_branch"):
            if heads is not None and asked[name] not in heads:
                return 400, {"message": {"base": [f"{name.replace('_', ' ').capitalize()} does not exist"]}}
        there = next((one for one in self.open_pulls() if one.head == asked["source_branch"]), None)
        if there is not None:
            return 409, {
                "message": [f"Another open merge request already exists for this source branch: !{there.number}"]
            }
        pull = Pull(len(self.pulls) + 1, asked["source_branch"], asked["target_branch"], "", "")
        pull.labels = [name for name in str(asked.get("labels") or "").split(",") if name]
        pull.reviewers = [self.people[number - 100] for number in asked.get("reviewer_ids") or ()]
        self.pulls.append(self._changed(pull, asked))
        return 201, self._shown(pull)

    def _changed(self, pull: Pull, asked: dict[str, Any]) -> Pull:
        title = str(asked.get("title", f"{_DRAFT if pull.draft else ''}{pull.title}"))
        pull.draft, pull.title = title.startswith(_DRAFT), title.removeprefix(_DRAFT)
        pull.body = asked.get("description", pull.body)
        pull.base = asked.get("target_branch", pull.base)
        pull.labels += [
            name for name in str(asked.get("add_labels") or "").split(",") if name not in ("", *pull.labels)
        ]
        if asked.get("state_event") == "close" and pull.state == "open":
            pull.state = "closed"
        return pull

    def _shown(self, pull: Pull) -> dict[str, Any]:
        return {
            "id": 1000 + pull.number,
            "iid": pull.number,
            "project_id": 3,
            "title": f"{_DRAFT if pull.draft else ''}{pull.title}",
            "description": pull.body,
            "state": _STATES.get(pull.state, pull.state),
            "created_at": _AT,
            "updated_at": _AT,
            "merged_at": _AT if pull.state == "merged" else None,
            "source_branch": pull.head,
            "target_branch": pull.base,
            "source_project_id": 3,
            "target_project_id": 3,
            "draft": pull.draft,
            "work_in_progress": pull.draft,
            "labels": pull.labels,
            "reviewers": [{"id": 100 + self.people.index(name), "username": name} for name in pull.reviewers],
            "web_url": f"{self.address}/{self.project}/-/merge_requests/{pull.number}",
        }
