"""Doubles of the ports that the tests and the demonstration use; shipped, so that others can test against them."""
