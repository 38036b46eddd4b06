"""GitHub's REST API (and the two GraphQL mutations about drafts) as far as pull requests need it, in its documented
shapes, on loopback: ``https://docs.github.com/rest/pulls/pulls``. Laid out like an Enterprise server (``/api/v3``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.testing.forges import ForgeServer, Pull

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

_DOCS = "https://docs.github.com/rest/pulls/pulls"
_AT = "2026-11-23T09:00:00Z"


class GitHubServer(ForgeServer):
    """A GitHub with one repository. ``drafts``: whether it has draft pull requests."""

    drafts = True

    @property
    def api(self) -> str:
        return f"{self.address}/api/v3"

    def authorised(self, request: Request) -> bool:
        return request.headers.get("Authorization") in (f"token {self.token}", f"Bearer {self.token}")

    def unauthorised(self) -> tuple[int, Any]:
        return 401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"}

    def headers(self) -> Mapping[str, str]:
        return {"X-GitHub-Media-Type": "github.v3; format=json", "X-RateLimit-Limit": "5000",
                "X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "1795430400"}  # fmt: skip

    def answer(self, request: Request) -> tuple[int, Any]:
        if (request.method, request.path) == ("POST", "/api/graphql"):
            return self._mutation(request.get_json())
        found = re.fullmatch(
            rf"/api/v3/repos/{re.escape(self.project)}/(pulls|issues)(?:/(\d+)(?:/(\w+))?)?", request.path
        )
        if found is None:
            return _error(404, "Not Found")
        if found[2] is None:
            return self._created(request.get_json()) if request.method == "POST" else (200, self._listed(request))
        pull = self.pull_of(int(found[2]))
        if pull is None:
            return _error(404, "Not Found")
        return self._about(request, pull, found[3] or "")

    def _listed(self, request: Request) -> list[Any]:
        wanted, head = request.args.get("state", "open"), request.args.get("head", "").partition(":")[2]
        pulls = [one for one in self.pulls if head in ("", one.head)]
        pulls = [one for one in pulls if wanted == "all" or (one.state == "open") == (wanted == "open")]
        return [self._shown(one) for one in sorted(pulls, key=lambda one: -one.number)]

    def _created(self, asked: Mapping[str, Any]) -> tuple[int, Any]:
        heads = self.heads()
        for name in ("base", "head"):
            if heads is not None and asked[name] not in heads:
                return _error(422, "Validation Failed", {"resource": "PullRequest", "field": name, "code": "invalid"})
        if any(one.head == asked["head"] and one.base == asked["base"] for one in self.open_pulls()):
            text = f"A pull request already exists for {self.project.split('/')[0]}:{asked['head']}."
            return _error(422, "Validation Failed", {"resource": "PullRequest", "code": "custom", "message": text})
        if asked.get("draft") and not self.drafts:
            return _error(422, "Draft pull requests are not supported in this repository.")
        pull = Pull(len(self.pulls) + 1, asked["head"], asked["base"], asked["title"], asked.get("body") or "")
        pull.draft = bool(asked.get("draft"))
        self.pulls.append(pull)
        return 201, self._shown(pull)

    def _about(self, request: Request, pull: Pull, what: str) -> tuple[int, Any]:
        if not what and request.method == "GET":
            return 200, self._shown(pull)
        asked = request.get_json()
        if not what:
            for name in ("title", "body", "base"):
                setattr(pull, name, asked.get(name, getattr(pull, name)))
            pull.state = asked.get("state", pull.state) if pull.state != "merged" else "merged"
            return 200, self._shown(pull)
        if what == "labels":
            pull.labels += asked["labels"] if isinstance(asked, dict) else asked
            return 200, [{"name": name} for name in pull.labels]
        if what == "comments":
            pull.comments.append(asked["body"])
            return 201, {"id": len(pull.comments), "body": asked["body"], "created_at": _AT}
        strangers = [name for name in asked.get("reviewers", ()) if name not in self.people]
        if strangers:
            return _error(422, "Reviews may only be requested from collaborators. One or more of the users or teams "
                               f"you specified is not a collaborator of the {self.project} repository.")  # fmt: skip
        pull.reviewers += [*asked.get("reviewers", ()), *(f"team:{name}" for name in asked.get("team_reviewers", ()))]
        return 201, self._shown(pull)

    def _mutation(self, asked: Mapping[str, Any]) -> tuple[int, Any]:
        name = "convertPullRequestToDraft" if "convertPullRequestToDraft" in asked["query"] else ""
        name = name or "markPullRequestReadyForReview"
        pull = self.pull_of(int(asked["variables"]["input"]["pullRequestId"].removeprefix("PR_")))
        if pull is None:
            return 200, {"data": {name: None}, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve"}]}
        pull.draft = name == "convertPullRequestToDraft"
        return 200, {"data": {name: {"clientMutationId": None, "pullRequest": {"isDraft": pull.draft}}}}

    def _shown(self, pull: Pull) -> dict[str, Any]:
        base = f"{self.api}/repos/{self.project}"
        owner = self.project.split("/")[0]
        return {
            "url": f"{base}/pulls/{pull.number}",
            "id": 1000 + pull.number,
            "node_id": f"PR_{pull.number}",
            "html_url": f"{self.address}/{self.project}/pull/{pull.number}",
            "issue_url": f"{base}/issues/{pull.number}",
            "number": pull.number,
            "state": "open" if pull.state == "open" else "closed",
            "locked": False,
            "title": pull.title,
            "user": {"login": "reconciler-bot", "id": 1},
            "body": pull.body,
            "labels": [{"id": index, "name": name} for index, name in enumerate(pull.labels)],
            "created_at": _AT,
            "updated_at": _AT,
            "closed_at": None if pull.state == "open" else _AT,
            "merged_at": _AT if pull.state == "merged" else None,
            "draft": pull.draft,
            "requested_reviewers": [{"login": name} for name in pull.reviewers if not name.startswith("team:")],
            "head": {"label": f"{owner}:{pull.head}", "ref": pull.head, "sha": "0" * 40},
            "base": {"label": f"{owner}:{pull.base}", "ref": pull.base, "sha": "0" * 40},
        }


def _error(status: int, message: str, *errors: Mapping[str, Any]) -> tuple[int, Any]:
    more = {"errors": list(errors)} if errors else {}
    return status, {"message": message, **more, "documentation_url": _DOCS, "status": str(status)}
