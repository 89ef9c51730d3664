"""The commands of the control plane, a file each; `hopmesh` finds them by `commands.COMMANDS`.

All but `control-plane` and `validate` ask a running control plane by its API and load little.
"""
