"""Declarations of what other people wrote: the kernel's calls and the compiler's atomics. No code of ours."""
