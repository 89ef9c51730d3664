"""Fuzzing of what reads untrusted bytes; README.md says how to run it and how to add a target."""
