"""Makes `python -m mesh_core.cli` the same as `hopmesh`."""

from mesh_core.cli import main

if __name__ == "__main__":
    main(prog_name="hopmesh")
