"""`make demo`: a control plane, three services that call each other, a sidecar before each, and what flows where."""
