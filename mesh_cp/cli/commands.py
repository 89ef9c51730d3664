"""Which commands there are. `hopmesh` reads this for every list of commands: it imports nothing else of mesh_cp."""

from mesh_core.cli.lazy_group import Lazy

COMMANDS = {
    "control-plane": Lazy("mesh_cp.cli.control_plane:control_plane", "Run a control plane."),
    "apply": Lazy("mesh_cp.cli.apply:apply", "Have the mesh as manifests describe it."),
    "get": Lazy("mesh_cp.cli.get:get", "List what was applied."),
    "describe": Lazy("mesh_cp.cli.describe:describe", "Show one resource, what is wrong with it, and its history."),
    "delete": Lazy("mesh_cp.cli.delete:delete", "Remove resources."),
    "diff": Lazy("mesh_cp.cli.diff:diff", "Show what applying manifests would change."),
    "history": Lazy("mesh_cp.cli.history:history", "List changes, or show one."),
    "rollback": Lazy("mesh_cp.cli.rollback:rollback", "Have all as it was after an earlier change."),
    "proxies": Lazy("mesh_cp.cli.proxies:proxies", "List the proxies, and how far each has come."),
    "stat": Lazy("mesh_cp.cli.stat:stat", "Show success rates, requests and times, by service and by edge."),
    "logs": Lazy("mesh_cp.cli.logs:logs", "Show access logs of proxies as they come."),
    "config-dump": Lazy("mesh_cp.cli.config_dump:config_dump", "Show what a proxy should have."),
    "validate": Lazy("mesh_cp.cli.validate:validate", "Check configuration files and manifests."),
}
