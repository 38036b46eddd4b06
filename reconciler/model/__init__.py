"""The vocabulary: frozen values that the stages hand to each other. No I/O, no clock, no third-party types.

Read in this order: ``plan`` (what is wanted), ``resource`` (what is), ``change`` (the difference),
``decision`` (what policy says of it), ``journal`` and ``report`` (what was done), ``errors`` (what went wrong).
"""
