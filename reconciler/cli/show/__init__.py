"""Presentation: pure functions from model values to text. Nothing here prints, reads or asks for the time."""
