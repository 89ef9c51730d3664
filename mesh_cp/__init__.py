"""hopmesh's control plane: what operators apply, kept, and pushed to the proxies. `mesh_core` never imports it."""
