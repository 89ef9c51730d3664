FLAGS: dict[str, int]
"""The bit of each flag, by its short name."""

DETAILS: dict[str, int]
"""The number of each detail, by its words."""

def flag_names(flags: int) -> list[str]: ...
