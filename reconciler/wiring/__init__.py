"""Builds the real adapters from the settings. Settings stop here; nothing else makes an adapter."""

from reconciler.wiring.application import App, build, leases, open_store, rebuild

__all__ = ["App", "build", "leases", "open_store", "rebuild"]
