"""What brings changes to Git, and to whom its keys and tokens are shown."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING

from reconciler.model.plan import PipelineTarget
from reconciler.ports import Clock, Pipeline
from reconciler.settings import Settings
from reconciler.settings.sections import PipelineSettings, TokenReference
from reconciler.subprocesses import withhold

if TYPE_CHECKING:
    from reconciler.pipeline import TokenSource


def pipeline(settings: Settings, clock: Clock) -> Pipeline:
    """The pipeline, with the pull requests of the forges that there are tokens for."""
    from reconciler.pipeline import Author, Credentials, GitOptions, GitPipeline, ReviewOptions, Signing
    from reconciler.pipeline.forges import ForgeOptions, HostedForges

    section = settings.pipeline
    default = None
    if section.repository is not None:
        default = PipelineTarget(
            section.repository,
            section.base,
            section.branch,
            section.path,
            section.format,
            provider=section.provider,
            language=section.language,
            workflow=section.workflow,
        )
    credentials, review = section.credentials, section.pull_requests
    options = GitOptions(
        author=Author(*parseaddr(section.author)),
        timeout=section.timeout,
        freshness=section.freshness,
        collect=section.collect,
        credentials=Credentials(
            _hosts(section, credentials), credentials.ssh_key_file, _token(credentials), credentials.username
        ),
        signing=Signing(section.signing.format, section.signing.key) if section.signing else None,
    )
    forge = ForgeOptions(review.provider, review.api, _token(review), _hosts(section, review))
    return GitPipeline(
        settings.state_dir / "pipeline",
        default=default,
        clock=clock,
        options=options,
        forges=HostedForges(forge, clock),
        review=ReviewOptions(review.labels, review.reviewers, review.draft, review.refresh),
    )


def _token(reference: TokenReference) -> TokenSource | None:
    from reconciler.pipeline import TokenSource

    if reference.token_env:
        withhold(reference.token_env)
    found = reference.token_env or reference.token_file
    return TokenSource(reference.token_env, reference.token_file) if found else None


def _hosts(pipeline: PipelineSettings, reference: TokenReference) -> frozenset[str]:
    """Who may see a token or a key: the hosts named with it, else the one of the configured repository."""
    from reconciler.pipeline.refs import remote_of, repository_address

    if reference.hosts or pipeline.repository is None:
        return frozenset(name.lower() for name in reference.hosts)
    return frozenset({remote_of(repository_address(pipeline.repository)).host} - {""})
