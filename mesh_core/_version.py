"""The one place where the version of hopmesh stands."""

__version__ = "0.1.0"
