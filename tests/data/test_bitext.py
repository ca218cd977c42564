import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polyglot.data.bitext import Bitext, ParallelText, sampled_rows
from polyglot.data.fingerprint import table_fingerprint
from polyglot.errors import DataError


def make_text(n=60):
    table = pa.table(
        {
            "en": [f"sentence {i}" for i in range(n)],
            "fr": [f"phrase {i}" for i in range(n)],
            "de": [f"Satz {i}" for i in range(n)],
            "fr_reference": [f"autre {i}" if i % 5 == 0 else None for i in range(n)],
            "domain": ["law" if i % 2 else "sport" for i in range(n)],
            "group": [str(i // 2) if i != 7 else None for i in range(n)],
        }
    )
    return ParallelText.of("made", table)


def test_columns_are_found_by_any_spelling():
    text = make_text()
    assert text.languages == ("en", "fr", "de")
    assert len(text) == 60
    assert text.column("fra_Latn")[3] == "phrase 3"
    pair = text.bitext("fra", "eng")
    assert (pair.source, pair.target, pair.sources[4], pair.targets[4]) == ("fr", "en", "phrase 4", "sentence 4")
    assert pair.domains is not None
    assert pair.domains[:2] == ["sport", "law"]


def test_given_groups_are_numbered_and_rows_without_one_stand_alone():
    groups = make_text().bitext("en", "fr").groups
    assert groups.dtype == np.int64
    assert groups[0] == groups[1]
    assert groups[1] != groups[2]
    assert groups[6] != groups[7]
    assert len(np.unique(groups)) == 31


def test_references_follow_their_side():
    pair = make_text().bitext("fr", "en")
    assert pair.references is not None
    assert pair.references[0][5] == "autre 5"
    assert pair.references[0][6] is None
    assert pair.references[1] is None
    assert pair.swapped().references == (None, pair.references[0])
    assert make_text().bitext("en", "de").references is None


def test_a_language_that_is_not_held_says_which_are():
    with pytest.raises(DataError, match=r"no Spanish \(es\): it holds en, fr, de"):
        make_text().bitext("en", "es")


def test_a_regional_column_serves_its_language():
    text = ParallelText.of("made", pa.table({"en-US": ["a"], "fr": ["b"], "fr-CA": ["c"], "zh-TW": ["d"]}))
    pair = text.bitext("en", "fr")
    assert (pair.sources, pair.targets, pair.source) == (["a"], ["b"], "en")
    with pytest.raises(DataError, match=r"no Chinese \(zh\): it holds"):
        text.column("zh")
    forms = ParallelText.of("made", pa.table({"en-US": ["a"], "en-GB": ["b"]}))
    with pytest.raises(DataError, match="en-US and en-GB are both English"):
        forms.column("en")


def test_a_table_without_languages_is_refused():
    with pytest.raises(DataError, match="a column for each language"):
        ParallelText.of("empty", pa.table({"domain": ["law"]}))


def test_sides_of_different_length_are_refused():
    with pytest.raises(DataError, match="2 sources, 1 targets"):
        Bitext.of("bad", ("en", "fr"), ["a", "b"], ["c"])
    with pytest.raises(DataError, match="lengths"):
        Bitext.of("bad", ("en", "fr"), ["a"], ["c"], domains=["x", "y"])


def test_samples_keep_order_pairs_and_what_stands_beside():
    pair = make_text().bitext("en", "fr").sample(20, seed=3)
    rows = [int(source.split()[1]) for source in pair.sources]
    assert rows == sorted(rows)
    assert len(set(rows)) == 20
    assert rows != list(range(20))
    assert pair.targets == [f"phrase {i}" for i in rows]
    assert pair.domains == ["law" if i % 2 else "sport" for i in rows]
    assert pair.references[1] == [f"autre {i}" if i % 5 == 0 else None for i in rows]
    assert pair.sources == make_text().sample(20, seed=3).column("en")


def test_samples_follow_the_seed():
    text = make_text()
    assert text.sample(20, 1).fingerprint == text.sample(20, 1).fingerprint
    assert text.sample(20, 1).fingerprint != text.sample(20, 2).fingerprint
    assert text.sample(60, 1) is text
    assert text.bitext("en", "fr").sample(99, 1).fingerprint == text.bitext("en", "fr").fingerprint


def test_every_row_is_drawn_equally_often():
    counts = np.bincount(np.concatenate([sampled_rows(20, 5, seed) for seed in range(4000)]), minlength=20)
    assert abs(counts - 1000).max() < 5 * np.sqrt(750)


def test_an_empty_sample_is_refused():
    with pytest.raises(DataError, match="positive"):
        make_text().sample(0, 1)


def test_fingerprints_see_content_names_and_order_only():
    text = make_text()
    wide = text.table.cast(pa.schema([(name, pa.large_string()) for name in text.table.column_names]))
    cut = pa.Table.from_batches(text.table.to_batches(max_chunksize=7))
    assert text.fingerprint == table_fingerprint(wide) == table_fingerprint(cut)
    assert text.fingerprint != table_fingerprint(text.table.slice(1))
    assert text.fingerprint != table_fingerprint(text.table.rename_columns(["en", "fr", "es", *list("abc")]))
    pair = text.bitext("en", "fr")
    assert pair.fingerprint != pair.swapped().fingerprint
    assert pair.swapped().swapped().fingerprint == pair.fingerprint


@settings(deadline=None)
@example([""], [None])
@example(["a", ""], ["", "a"])
@given(st.lists(st.text(max_size=3) | st.none(), max_size=8), st.lists(st.text(max_size=3) | st.none(), max_size=8))
def test_different_columns_have_different_fingerprints(first, second):
    def fingerprint(values):
        return table_fingerprint(pa.table({"en": pa.array(values, pa.string())}))

    assert (fingerprint(first) == fingerprint(second)) == (first == second)
