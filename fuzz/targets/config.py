"""Proxy configuration from untrusted bytes, read as a YAML file and as a msgpack message of the channel."""

from collections.abc import Callable

import msgspec

from mesh_core.config import Config, ConfigError, load_builtins, load_text

INSTRUMENT = ("mesh_core.config",)


def fuzz_one(data: bytes) -> None:
    """Load the bytes both ways. Raises AssertionError, or what else comes out that is no ConfigError."""
    _load(lambda: load_text(data), positions=True)
    try:
        message = msgspec.msgpack.decode(data)
    except (ValueError, TypeError, RecursionError):
        # Not msgpack, or more than Python's types can hold: an unhashable key, a time out of range.
        return
    _load(lambda: load_builtins(message), positions=False)


def _load(load: Callable[[], Config], positions: bool) -> None:
    """Check that the outcome is a whole configuration or faults that can be shown and sent."""
    try:
        config = load()
    except ConfigError as error:
        assert error.faults
        # An operator's terminal and the control channel must both take the text.
        assert all(character.isprintable() or character == "\n" for character in str(error))
        msgspec.msgpack.encode(error.faults)
        for fault in error.faults:
            assert fault.message
            assert (fault.line is None) == (fault.column is None)
            assert fault.line is None or (positions and fault.line >= 1)
    else:
        # What was accepted can go over the channel and is accepted there.
        message = msgspec.msgpack.decode(msgspec.msgpack.encode(config))
        assert load_builtins(message) == config
