"""The contract of every native provider outside EC2, over a local AWS."""
