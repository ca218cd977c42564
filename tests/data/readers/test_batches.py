import pyarrow as pa
import pyarrow.feather
import pytest
from polyglot.data.readers.batches import BATCH_ROWS, Reading, RowSampler, sampled, stacked
from polyglot.errors import DataError


def reading_of(n, column="en", step=BATCH_ROWS):
    batches = (pa.record_batch({column: [str(i) for i in range(a, min(a + step, n))]}) for a in range(0, n, step))
    return Reading((column,), batches)


def test_samples_of_streams_are_uniform_ordered_and_flat():
    table = sampled(reading_of(300_000), 1000, seed=4).table()
    rows = [int(row) for row in table["en"].to_pylist()]
    assert rows == sorted(rows)
    assert len(set(rows)) == 1000
    assert abs(sum(rows) / 1000 - 150_000) < 5 * 300_000 / (12 * 1000) ** 0.5
    sampler = RowSampler(10, seed=0)
    for batch in reading_of(5 * BATCH_ROWS).batches:
        sampler.add(batch)
        assert sampler._table.num_rows <= 3 * BATCH_ROWS


def test_samples_do_not_depend_on_batches_and_follow_the_seed():
    def rows(step, seed):
        return sampled(reading_of(1000, step=step), 50, seed).table()["en"].to_pylist()

    assert rows(7, 1) == rows(1000, 1)
    assert rows(7, 1) != rows(7, 2)
    assert sampled(reading_of(30), 50, seed=0).table().num_rows == 30
    assert sampled(reading_of(30), None, seed=0).table().num_rows == 30


def test_stacked_readings_fill_what_one_lacks():
    extra = Reading(("en", "domain"), iter([pa.record_batch({"en": ["x"], "domain": ["law"]})]))
    table = stacked([reading_of(2), extra]).table()
    assert table.to_pydict() == {"en": ["0", "1", "x"], "domain": [None, None, "law"]}


def test_readings_of_different_languages_are_not_stacked():
    with pytest.raises(DataError, match=r"en \| fr"):
        stacked([reading_of(2), reading_of(2, "fr")])
