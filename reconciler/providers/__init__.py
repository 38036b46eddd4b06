"""AWS: the only package that imports boto3 and botocore.

``access`` opens scopes (accounts, roles, credentials), ``scope`` makes the calls (retries, budget, error mapping),
``guard`` keeps read-only targets read-only, ``registry`` knows which provider serves which resource type.
"""
