"""Carries changes to a Git repository instead of to AWS.

``rendering`` turns a change set into files (``terraform``, ``cloudformation``), ``message`` into words, ``publishing``
brings both onto one branch of the repository; ``refs`` and ``repository`` keep that branch, its paths and Git safe.
"""
