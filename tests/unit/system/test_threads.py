"""Work in threads on a stream of items."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from semantoks.system.threads import mapped


def test_results_come_in_order_and_few_items_are_read_ahead() -> None:
    read = list[int]()

    def items() -> Iterator[int]:
        for number in range(50):
            read.append(number)
            yield number

    results = mapped(lambda number: (number, threading.current_thread().name), items(), 3)
    for number in range(50):
        result, thread = next(results)
        assert result == number and thread != threading.main_thread().name
        assert len(read) <= number + 4
    assert next(results, None) is None


def test_an_error_ends_the_work() -> None:
    def fail_at_5(number: int) -> int:
        if number == 5:
            raise ValueError("no 5")
        return number

    done = list[int]()
    with pytest.raises(ValueError, match="no 5"):
        done.extend(mapped(fail_at_5, range(1000), 2))
    assert done == [0, 1, 2, 3, 4]
