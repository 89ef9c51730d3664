"""Regular expressions of the configuration, made into tables of states that are walked a byte at a time.

The syntax is a part of RE2's, which docs/routing.md lists; an expression fits a whole text. Control thread; the walk is
mesh_core/routing/regex.pxd.
"""

from mesh_core.config.regex.automaton import Automaton, compile_regex
from mesh_core.config.regex.syntax import RegexError, literal

__all__ = ["Automaton", "RegexError", "compile_regex", "literal"]
