from adapter.hl7.lines import MOST_BATCH_LINES, MOST_LINES, is_endless

MSH = b"MSH|^~\\&|LAB\r"


def test_a_message_has_an_end_whatever_ends_its_lines() -> None:
    for end in (b"\r", b"\n", b"\r\n"):
        assert not is_endless(MSH + (b"OBX|1" + end) * (MOST_LINES - 1))
        assert is_endless(MSH + (b"OBX|1" + end) * (MOST_LINES + 1))
    assert not is_endless(b"x" * 10 * MOST_LINES)


def test_a_batch_may_have_more() -> None:
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + MSH
    assert not is_endless(batch + b"OBX|1\r" * (MOST_LINES + 1))
    assert is_endless(batch + b"OBX|1\r" * MOST_BATCH_LINES)


def test_a_short_message_is_not_even_counted() -> None:
    assert not is_endless(MSH)
    assert not is_endless(b"\r" * MOST_LINES)
    assert is_endless(b"\r" * (MOST_LINES + 1))
