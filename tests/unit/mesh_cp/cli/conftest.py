"""Commands that ask a control plane of this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from mesh_core.cli import main
from tests.support.running_api import RunningApi

Run = Callable[..., Result]


@pytest.fixture
def run(api: RunningApi) -> Run:
    """Run a command, and give its result."""

    def run_one(*arguments: str, text: str | None = None, status: int = 0) -> Result:
        result = CliRunner(env={"HOPMESH_SERVER": api.address}).invoke(main, arguments, input=text)
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return run_one
