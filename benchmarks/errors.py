"""The one exception that a measurement may end with."""


class BenchmarkError(Exception):
    """A measurement could not be made; the message says what failed and what to do next."""
