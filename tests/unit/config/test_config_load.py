"""Loading: files, texts and messages, what they give, where their faults are, and what importing costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mesh_core.config import (
    Cluster,
    Config,
    ConfigError,
    Fault,
    Listener,
    load_builtins,
    load_file,
    load_text,
)
from mesh_core.config.document import read_document
from mesh_core.config.faults import FaultList

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))

SMALLEST = """
listeners:
  - name: in
    address: 127.0.0.1:8080
    cluster: app
clusters:
  - name: app
    endpoints: [127.0.0.1:9001, 127.0.0.1:9002]
"""


def test_the_smallest_file() -> None:
    assert load_text(SMALLEST) == Config(
        listeners=(Listener(name="in", address="127.0.0.1:8080", cluster="app"),),
        clusters=(Cluster(name="app", endpoints=("127.0.0.1:9001", "127.0.0.1:9002")),),
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    assert load_file(path).listeners


@pytest.mark.parametrize(
    "encoded", [SMALLEST.encode(), b"\xef\xbb\xbf" + SMALLEST.encode(), "\ufeff" + SMALLEST]
)
def test_encodings(encoded: bytes | str) -> None:
    assert load_text(encoded) == load_text(SMALLEST)


@pytest.mark.parametrize(
    "text",
    [
        "---\n" + SMALLEST,
        SMALLEST + "...\n",
        "%YAML 1.1\n---\n" + SMALLEST,
        SMALLEST.replace("\n", "\r\n"),
        SMALLEST.replace("name: app", "name: &app app").replace("cluster: app", "cluster: 'app'"),
        SMALLEST.replace("[127.0.0.1:9001, 127.0.0.1:9002]", "\n    - 127.0.0.1:9001\n    - 127.0.0.1:9002"),
        "x: &app app\n".replace("x: ", "workers: 1 # ") + SMALLEST,
        SMALLEST.replace("clusters:", "clusters: !!seq").replace("name: app", "name: !!str app"),
    ],
)
def test_spellings_of_the_same(text: str) -> None:
    loaded = load_text(text)
    assert (loaded.listeners, loaded.clusters) == (
        load_text(SMALLEST).listeners,
        load_text(SMALLEST).clusters,
    )


def test_an_alias_stands_for_its_anchor() -> None:
    text = "clusters:\n- {name: a, endpoints: &e [127.0.0.1:1]}\n- {name: b, endpoints: *e}\n"
    first, second = load_text(text).clusters
    assert first.endpoints == second.endpoints == ("127.0.0.1:1",)


@pytest.mark.parametrize("path", [*EXAMPLES, *BAD], ids=lambda path: path.stem)
def test_the_parser_in_python_reads_the_same(path: Path) -> None:
    text = path.read_text()
    with_libyaml, pure = FaultList(), FaultList()
    assert read_document(text, with_libyaml) == read_document(text, pure, pure=True)
    assert [fault.path for fault in faults_of(with_libyaml)] == [fault.path for fault in faults_of(pure)]


def faults_of(faults: FaultList) -> tuple[Fault, ...]:
    try:
        faults.raise_if_any("f")
    except ConfigError as error:
        return error.faults
    return ()


def test_a_big_file_knows_its_lines() -> None:
    lines = ["clusters:"]
    for index in range(1000):
        timeout = "5s" if index in (0, 500, 999) else 5000
        lines += [
            f"  - name: c{index}",
            f"    endpoints: [127.0.0.1:{index + 1}]",
            f"    connect_timeout_ms: {timeout}",
        ]
    with pytest.raises(ConfigError) as caught:
        load_text("\n".join(lines))
    places = [(fault.path, fault.line, fault.column) for fault in caught.value.faults]
    assert places == [(f"clusters[{i}].connect_timeout_ms", 4 + 3 * i, 25) for i in (0, 500, 999)]
    assert len(load_text("\n".join(lines).replace("5s", "5000")).clusters) == 1000


def test_faults_of_a_message_have_paths_but_no_lines() -> None:
    with pytest.raises(ConfigError) as caught:
        load_builtins(
            {"workers": 0, "listeners": [{"name": "in", "address": "x", "cluster": "app"}], 5: 6}, "update 7"
        )
    assert str(caught.value).split("\n") == [
        "update 7: a key must be a string",
        "update 7: workers: expected an integer from 1 to 256, found 0 — for example 2",
        'update 7: listeners[0].cluster: no cluster "app" — the clusters are: none',
        'update 7: listeners[0].address: no port in "x" — write an IP address and a port, '
        "for example 127.0.0.1:8080",
    ]


def test_an_empty_message_is_a_configuration() -> None:
    assert load_builtins({}) == Config()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, reason in [(tmp_path / "none.yaml", "No such file or directory"), (tmp_path, "Is a directory")]:
        with pytest.raises(ConfigError) as caught:
            load_file(path)
        assert str(caught.value) == f"{path}: cannot be read: {reason}"


def test_faults_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "proxy.yaml"
    path.write_text("workers: 0\n")
    with pytest.raises(ConfigError, match=r"proxy\.yaml:1:10: workers: "):
        load_file(path)


def test_a_control_character_in_a_file_name_is_not_obeyed() -> None:
    with pytest.raises(ConfigError) as caught:
        load_file("no\x1b[31m.yaml")
    assert str(caught.value).isprintable()


def test_importing_the_types_loads_no_parser() -> None:
    code = "import sys, mesh_core.config; print({'yaml', 'difflib', 'click'} & sys.modules.keys())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"
