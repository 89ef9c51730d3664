"""These tests need the compiled TLS engine."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("mesh_core.tls.context") else ["test_*.py"]
