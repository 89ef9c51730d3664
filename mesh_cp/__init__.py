"""hopmesh's control plane. Not there yet: this package holds its name."""
