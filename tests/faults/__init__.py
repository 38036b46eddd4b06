"""Faults between the daemon and AWS: what stands in the account afterwards, and what the report says of it."""
