"""Reconciler keeps AWS in the state that approved plans describe, under policy.

The stages of a pass, in order; ``cycle`` is the one page that shows them at work:

    source     plans and approvals from a directory or Git, validated, digested, signatures checked
    policy     Rego: may this plan be looked at; later, may these changes be made
    providers  the only way to AWS: sessions, read-only guard, retries, one module per resource type
    diff       live state read in batches, compared by meaning, turned into ordered steps
    apply      the steps walked: journal, call, poll, validate (sandbox, development)
    iac        stacks, Terraform and CDK: prepared, decided on, executed exactly so
    pipeline   the same change set rendered to a Git branch (staging, production)
    adoption   what exists already, as a plan that adopts it
    store      journal, identifiers, runs, status
    status     outcome to status, metrics, reports, HTTP
"""

__version__ = "0.1.0"
