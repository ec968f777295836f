from semantoks.data.simulate.scanner.protocol import slice_times


def test_slices_are_interleaved_within_the_repetition_time() -> None:
    times = slice_times(37, 2.5)
    assert len(times) == 37
    assert times.min() == 0
    assert times.max() < 2.5
    assert times[0] != times[1]
    assert times[0] == times[8]  # multiband
