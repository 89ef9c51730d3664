"""Python faces of the compiled core's functions, so that tests can call each of them alone.

Built in place only, never part of a wheel. Nothing is decided here: a wrapper converts, calls and converts back.
"""
