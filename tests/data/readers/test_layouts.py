import gzip

import pytest
from polyglot.data.open import open_corpus
from polyglot.data.readers.layouts import columns_by_name
from polyglot.errors import DataError

TEXTS = [(f"English {i}", f"Français {i}") for i in range(60)]


def written(path, rows, *, packed=False):
    content = "".join("\t".join(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    return str(path)


TATOEBA = "Sentence pairs in English-French - 2024-05-01.tsv"
MINED = ("1.1", "0.9", "0.8", "src", "url", "tgt", "url")
FILES = [
    (TATOEBA, [("1", a, "2", b) for a, b in TEXTS]),
    ("en-fr.bitextf.tsv.gz", [("1.2", a, b) for a, b in TEXTS]),
    ("eng_Latn-fra_Latn.gz", [(a, b, *MINED) for a, b in TEXTS]),
    ("eng_Latn-fra_Latn.tsv", [(a, b, *MINED) for a, b in TEXTS]),
    ("fra.txt", [(a, b, "CC-BY 2.0 (France)") for a, b in TEXTS]),
]


@pytest.mark.parametrize(("name", "rows"), FILES)
@pytest.mark.parametrize("wanted", [(), ("fr", "en"), ("en", "fr")])
def test_downloads_are_read_by_their_name(tmp_path, name, rows, wanted):
    text = open_corpus([written(tmp_path / name, rows, packed=name.endswith("gz"))], wanted)
    assert set(text.languages) == {"en", "fr"}
    assert (text.column("en"), text.column("fr")) == tuple(map(list, zip(*TEXTS, strict=True)))


@pytest.mark.parametrize(("name", "rows"), FILES)
def test_under_another_name_they_are_read_by_their_columns(tmp_path, name, rows):
    path = written(tmp_path / "a.tsv", rows)
    with pytest.raises(DataError, match=r"say what stands in each column, for example --columns fr,en,-"):
        open_corpus([path], ["fr", "en"])
    columns = ["-"] * len(rows[0])
    columns[rows[0].index("English 0")], columns[rows[0].index("Français 0")] = "en", "fr"
    text = open_corpus([path], ["fr", "en"], columns=columns)
    assert (text.column("en"), text.column("fr")) == tuple(map(list, zip(*TEXTS, strict=True)))


def test_names_do_not_outweigh_what_stands_in_the_file(tmp_path):
    path = written(tmp_path / "eng_Latn-fra_Latn.tsv", [("fra", "eng"), *[(b, a) for a, b in TEXTS]])
    assert open_corpus([path], ["en", "fr"]).column("en") == [a for a, _ in TEXTS]
    with pytest.raises(DataError, match="no German"):
        open_corpus([written(tmp_path / TATOEBA, [("1", a, "2", b) for a, b in TEXTS])], ["en", "de"])


@pytest.mark.parametrize(
    ("languages", "pair"),
    [
        ("English-French", ("en", "fr")),
        ("Mandarin Chinese-English", ("zh", "en")),
        ("Dutch-Toki Pona", None),
        ("English-Norwegian Bokmål", ("en", "no")),
        ("Nothing-English", None),
    ],
)
def test_tatoeba_names_its_languages_in_english(tmp_path, languages, pair):
    path = tmp_path / f"Sentence pairs in {languages} - 2024-05-01.tsv"
    columns = columns_by_name(path, ["1", "a", "2", "b"], ())
    if pair is not None or columns is not None:
        assert columns == ("-", pair[0], "-", pair[1])
