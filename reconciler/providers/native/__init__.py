"""Providers written against a service's own API. Each module ends with ``PROVIDERS``."""
