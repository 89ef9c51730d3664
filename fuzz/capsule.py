"""Finds the C function behind a native target."""

import ctypes
import importlib

from fuzz.targets import Native

# Cython names the capsule after the C signature.
SIGNATURE = b"int (uint8_t const *, size_t)"


def address_of(target: Native) -> int:
    """Return the address of the target's C function.

    Raises LookupError when its module exports no such function, TypeError when the signature is another.
    """
    exported = getattr(importlib.import_module(target.module), "__pyx_capi__", {})
    if target.function not in exported:
        raise LookupError(f"{target.module} exports no C function {target.function}: declare it in the .pxd")
    capsule = exported[target.function]
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    signature: bytes = name_of(capsule)
    if signature != SIGNATURE:
        raise TypeError(f"{target.function} is {signature.decode()}, not {SIGNATURE.decode()}")
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address: int = pointer_of(capsule, signature)
    return address
