ACTIONS: tuple[str, ...]


class OverloadState:
    def set(self, names: frozenset[str]) -> None: ...
