"""Calls libFuzzer, linked into a library by fuzz.build, on a C function or on a Python callable."""

import ctypes
import os
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

_PLACES = 1 << 16


def drive(library: ctypes.CDLL, arguments: list[str], function: Any) -> int:
    """Run libFuzzer with its own arguments; ends the process itself when it is done or finds something.

    The GIL is not held while libFuzzer runs.
    """
    words = [word.encode() for word in ["hopmesh-fuzz", *arguments]]
    count = ctypes.c_int(len(words))
    vector = ctypes.cast((ctypes.c_char_p * (len(words) + 1))(*words, None), ctypes.POINTER(ctypes.c_char_p))
    result: int = library.LLVMFuzzerRunDriver(ctypes.byref(count), ctypes.byref(vector), function)
    return result


def drive_python(
    path: str, arguments: list[str], instrument: tuple[str, ...], function: Callable[[bytes], None]
) -> int:
    """Run libFuzzer on a Python callable, with the lines run in the packages named as its coverage."""
    library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    counters = _register_counters(library)

    def count_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "call" and not frame.f_globals.get("__name__", "").startswith(instrument):
            return None
        if event in ("call", "line"):
            place = hash((frame.f_code.co_filename, frame.f_lineno)) % _PLACES
            counters[place] = min(counters[place] + 1, 255)
        return count_line

    def call(data: Any, size: int) -> int:
        sys.settrace(count_line)
        try:
            function(ctypes.string_at(data, size))
        except BaseException:
            traceback.print_exc()
            # libFuzzer catches the signal and keeps the input.
            os.abort()
        finally:
            sys.settrace(None)
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)(call)
    return drive(library, arguments, callback)


def _register_counters(library: ctypes.CDLL) -> Any:
    """Give libFuzzer an array of counters with made-up addresses, as a compiler would for a C module."""
    counters = (ctypes.c_uint8 * _PLACES)()
    addresses = (ctypes.c_size_t * (2 * _PLACES))()
    for index in range(_PLACES):
        addresses[2 * index] = index + 1
    start, table = ctypes.addressof(counters), ctypes.addressof(addresses)
    library.__sanitizer_cov_8bit_counters_init(ctypes.c_void_p(start), ctypes.c_void_p(start + _PLACES))
    end = ctypes.c_void_p(table + ctypes.sizeof(addresses))
    library.__sanitizer_cov_pcs_init(ctypes.c_void_p(table), end)
    # libFuzzer keeps the addresses for the life of the process.
    _register_counters.__dict__["kept"] = (counters, addresses)
    return counters
