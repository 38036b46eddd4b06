"""Plans that another engine carries out: CloudFormation stacks, Terraform, CDK.

Each delivery has a deployer: it prepares (what would be done, as our own change set), executes exactly that, and
settles what a crash interrupted. What is decided in between is the cycle's business, as for every other plan.

    stack       stacks → templates → changesets → looking → stack; stackrun executes, following tells
    terraform   workdir → tftool → tfplan, tfwords → terraform
    cdk         workdir → cdktool → assembly → looking → cdk
"""

from __future__ import annotations
