"""Whether what comes through a proxy is what the origin answers, and how that is noticed."""

import socket
import threading

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.measure.answers import BODY, check_answer, check_bytes
from benchmarks.measure.requests import check_log

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"


@pytest.fixture
def answering():
    """Give a function that starts a server for one connection, whose answer comes in pieces; it returns the port."""
    threads = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve(*pieces):
            def run():
                connection, _ = listener.accept()
                with connection:
                    requests.append(connection.recv(4096))
                    for piece in pieces:
                        connection.sendall(piece)

            threads.append(threading.Thread(target=run))
            threads[-1].start()
            return listener.getsockname()[1]

        requests = serve.requests = []
        yield serve
        for thread in threads:
            thread.join(10)


@pytest.mark.parametrize("pieces", [(HEAD + BODY,), (HEAD[:20], HEAD[20:], BODY[:1], BODY[1:])])
def test_a_right_answer_is_measured(answering, pieces):
    assert check_answer(answering(*pieces), "a.local", "/b") == len(HEAD) + 100
    assert answering.requests == [b"GET /b HTTP/1.1\r\nHost: a.local\r\n\r\n"]


@pytest.mark.parametrize("answer", [
    HEAD.replace(b"200 OK", b"503 No") + BODY, HEAD + BODY[::-1], HEAD + BODY[:-1], HEAD[:-4], b""])
def test_a_wrong_answer_is_an_error(answering, answer):
    with pytest.raises(BenchmarkError, match="not the answer to a request for bench/"):
        check_answer(answering(answer))


@pytest.mark.parametrize("received", [1000 * 166, 1000 * 166 + 64 * 166])
def test_whole_answers_and_a_part_for_each_connection_are_right(received):
    check_bytes(received, 1000, 166, 64)


@pytest.mark.parametrize("received", [1000 * 166 - 1, 1000 * 166 + 64 * 166 + 1])
def test_answers_of_another_length_are_an_error(received):
    with pytest.raises(BenchmarkError, match="1000 answers of 166 bytes"):
        check_bytes(received, 1000, 166, 64)


LINE = '{"response_code":200}\n'


def test_a_log_with_a_line_for_each_answer_is_whole(tmp_path):
    (tmp_path / "log").write_text(LINE * 3)
    check_log(tmp_path / "log", 3)


@pytest.mark.parametrize(("text", "message"), [
    (LINE * 2, "each of 3 requests"), (LINE.replace("200", "503") * 3, "status 503"),
    ("GET / 200\n" * 3, "not a line of JSON"), ("[]\n" * 3, "not a line of JSON"), ("{}\n" * 3, "not a line of JSON")])
def test_a_log_that_lacks_something_is_an_error(tmp_path, text, message):
    (tmp_path / "log").write_text(text)
    with pytest.raises(BenchmarkError, match=message):
        check_log(tmp_path / "log", 3, seconds=0)


def test_a_log_that_was_never_made_is_an_error(tmp_path):
    with pytest.raises(BenchmarkError, match="each of 3 requests"):
        check_log(tmp_path / "log", 3, seconds=0)
