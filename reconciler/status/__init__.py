"""What came of it: metrics, logs and HTTP.

``metrics`` turns reports and statuses into Prometheus metrics, ``logs`` configures logging, ``http`` serves both
people and programs. Import the modules by name; this package imports nothing by itself.
"""
