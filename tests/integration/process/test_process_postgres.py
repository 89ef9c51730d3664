"""psql through the proxy to PostgreSQL."""

from pathlib import Path

from tests.support.process import one_listener, running
from tests.support.process_programs import postgres, program, run_program


def test_queries_and_a_large_copy(folder: Path) -> None:
    psql = program("psql")
    database = folder / "pg"
    database.mkdir()
    with postgres(database) as address, running(folder, one_listener(address)) as proxy:
        target = f"host=127.0.0.1 port={proxy.port()} user=test dbname=postgres sslmode=disable"
        command = [psql, "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", target, "-c"]
        assert run_program([*command, "SELECT 6 * 7"]) == b"42\n"
        rows = b"".join(b"%d\t%s\n" % (number, b"x" * 100) for number in range(30_000))
        run_program([*command, "CREATE TABLE t (n int, s text)"])
        run_program([*command, "COPY t FROM STDIN"], rows)
        assert run_program([*command, "COPY (SELECT * FROM t ORDER BY n) TO STDOUT"]) == rows
