"""The nursery of the tests: whoever asks is answered, and with what is its own."""

from concurrent.futures import ThreadPoolExecutor

from tests import nursery


def test_threads_that_ask_at_once_are_each_answered_with_their_own() -> None:
    wanted = [("--version",), ("no-such-command",)] * 8
    nursery.nursery()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda words: nursery.run(*words).returncode, wanted))
    assert found == [0, 2] * 8
