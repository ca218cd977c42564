import pytest
from polyglot.data.readers.lines import BadRows
from polyglot.data.readers.moses import read_moses
from polyglot.errors import DataError

from .opened import written


def moses(folder, *texts):
    return [written(folder / f"text{i}", text) for i, text in enumerate(texts)]


def test_moses_files_are_aligned_by_line(tmp_path):
    table = read_moses(moses(tmp_path, "a\nb\n", "c\nd"), ("en", "fr"), BadRows()).table()
    assert table.to_pydict() == {"en": ["a", "b"], "fr": ["c", "d"]}


@pytest.mark.parametrize("skip", [False, True])
def test_moses_files_of_different_length_are_never_read(tmp_path, skip):
    paths = moses(tmp_path, "a\nb\nc\n", "d\ne\n")
    with pytest.raises(DataError, match=r"text0 has 3 lines, .*text1 has 2 lines"):
        read_moses(paths, ("en", "fr"), BadRows(skip=skip)).table()


def test_bad_moses_lines_are_dropped_on_both_sides(tmp_path):
    paths = moses(tmp_path, "a\n\nc\nd\n", "e\nf\ng\0\nh\n")
    with pytest.raises(DataError, match=r"line 2: empty line \(no text in English"):
        read_moses(paths, ("en", "fr"), BadRows()).table()
    bad = BadRows(skip=True)
    assert read_moses(paths, ("en", "fr"), bad).table().to_pydict() == {"en": ["a", "d"], "fr": ["e", "h"]}
    assert bad.counts == {"empty line": 1, "NUL byte": 1}


def test_a_moses_row_that_is_bad_on_both_sides_is_lost_once(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    paths[0].write_bytes(b"a\n\xff\nc\n")
    paths[1].write_bytes(b"d\n\0\nf\n")
    bad = BadRows(skip=True)
    assert read_moses(paths, ("en", "fr"), bad).table().to_pydict() == {"en": ["a", "c"], "fr": ["d", "f"]}
    assert bad.counts == {"not UTF-8": 1}
