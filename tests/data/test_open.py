import pytest
from polyglot.data.builtin import DEFAULT, LANGUAGES
from polyglot.data.listing import list_corpora, preview
from polyglot.data.open import open_corpus
from polyglot.errors import DataError

ENGLISH = [f"Sentence number {i} is about something else." for i in range(60)]
FRENCH = [f"La phrase numéro {i} parle d'autre chose." for i in range(60)]


def lines(path, texts):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    return str(path)


def table(path, rows=60):
    return lines(path, ["en\tfr", *(f"{a}\t{b}" for a, b in zip(ENGLISH[:rows], FRENCH[:rows], strict=True))])


def test_without_a_corpus_the_built_in_one_is_opened():
    text = open_corpus(None, ["fr", "en"])
    assert (text.name, text.languages, len(text)) == (DEFAULT, ("en", "fr"), 1500)
    assert text.fingerprint == open_corpus([DEFAULT], ["en", "fr"]).fingerprint
    assert len(open_corpus([f"{DEFAULT}:law"], [])) == 100


def test_limits_sample_with_the_seed_and_never_take_the_first_rows():
    everything = open_corpus(None, ["en"]).column("en")
    text = open_corpus(None, ["en"], limit=200, seed=1)
    places = [everything.index(sentence) for sentence in text.column("en")]
    assert len(places) == 200
    assert places == sorted(places)
    assert max(places) > 1200
    assert open_corpus(None, ["en"], limit=200, seed=1).fingerprint == text.fingerprint
    assert open_corpus(None, ["en"], limit=200, seed=2).fingerprint != text.fingerprint


def test_two_moses_files_stand_in_the_order_of_the_languages(tmp_path):
    corpus = [lines(tmp_path / "x.b", FRENCH), lines(tmp_path / "x.a", ENGLISH)]
    text = open_corpus(corpus, ["fra", "eng"])
    assert text.column("fr") == FRENCH
    assert text.column("en") == ENGLISH
    with pytest.raises(DataError, match="2 text files were given for 3 languages"):
        open_corpus(corpus, ["fr", "en", "de"])


def test_one_moses_file_finds_its_siblings(tmp_path):
    path = lines(tmp_path / "set.fra-eng.fra", FRENCH)
    lines(tmp_path / "set.fra-eng.eng", ENGLISH)
    lines(tmp_path / "other.eng", ENGLISH)
    assert open_corpus([path], ["en", "fr"]).column("en") == ENGLISH
    with pytest.raises(DataError, match=r"no German \(de\): it holds en, fr"):
        open_corpus([path], ["en", "de"])


@pytest.mark.parametrize("ending", [".txt", ""])
def test_moses_files_may_end_in_txt(tmp_path, ending):
    path = lines(tmp_path / f"set.fr{ending}", FRENCH)
    lines(tmp_path / "set.en", ENGLISH)
    assert open_corpus([path], ["en", "fr"]).column("fr") == FRENCH


def test_table_files_are_stacked(tmp_path):
    corpus = [table(tmp_path / "a.tsv"), table(tmp_path / "b.tsv")]
    assert len(open_corpus(corpus, ["en", "fr"])) == 120


def test_folders_of_moses_files_stack_their_stems(tmp_path):
    for stem, rows in (("train", 60), ("dev", 55)):
        lines(tmp_path / f"{stem}.en", ENGLISH[:rows])
        lines(tmp_path / f"{stem}.fr.txt", FRENCH[:rows])
    lines(tmp_path / "README.md", ["not text"])
    assert len(open_corpus([str(tmp_path)], ["en", "fr"])) == 115
    text = open_corpus([f"{tmp_path}:dev"], ["fr", "en"])
    assert (len(text), text.name) == (55, f"{tmp_path.name}:dev")
    with pytest.raises(DataError, match="no part 'test': it holds dev, train"):
        open_corpus([f"{tmp_path}:test"], ["en", "fr"])
    with pytest.raises(DataError, match="no en, de together: it holds en, fr"):
        open_corpus([str(tmp_path)], ["en", "de"])


def test_folders_of_bare_language_names(tmp_path):
    lines(tmp_path / "en.txt", ENGLISH)
    lines(tmp_path / "fr.txt", FRENCH)
    assert open_corpus([str(tmp_path)], ["en", "fr"]).column("fr") == FRENCH


def test_files_beside_moses_files_are_no_third_language(tmp_path, caplog):
    for ending in ("en", "fr", "ids", "tok.log"):
        lines(tmp_path / f"x.{ending}", FRENCH if ending == "fr" else ENGLISH)
    text = open_corpus([str(tmp_path)], [])
    assert text.languages == ("en", "fr")
    assert caplog.messages == [f"{tmp_path / 'x.ids'} is not read as a language. Name the languages if it is one."]
    assert open_corpus([str(tmp_path / "x.fr")], []).languages == ("en", "fr")
    assert open_corpus([str(tmp_path)], ["ids", "en"]).languages == ("ids", "en")


def test_an_ending_that_its_stem_names_is_a_language(tmp_path):
    for ending in ("en", "bak"):
        lines(tmp_path / f"set.en-bak.{ending}", ENGLISH)
        lines(tmp_path / f"other.{ending}", ENGLISH)
    assert open_corpus([str(tmp_path)], []).languages == ("ba", "en")


def test_two_files_of_one_language_are_an_error_that_names_both(tmp_path):
    for ending in ("en", "eng", "fr.txt", "fr"):
        lines(tmp_path / f"x.{ending}", ENGLISH)
    with pytest.raises(DataError, match=r"x\.en and x\.eng are both English"):
        open_corpus([str(tmp_path)], [])
    with pytest.raises(DataError, match=r"x\.fr and x\.fr\.txt are both French"):
        open_corpus([str(tmp_path / "x.fr")], ["fr"])


def test_regional_endings_serve_a_language_in_its_script(tmp_path):
    for ending, texts in (("en_GB", ENGLISH), ("zh_TW", FRENCH), ("zh_CN", ENGLISH)):
        lines(tmp_path / f"x.{ending}", texts)
    text = open_corpus([str(tmp_path)], ["en", "zh"])
    assert (text.languages, text.column("zh")) == (("en", "zh"), ENGLISH)
    with pytest.raises(DataError, match="has no en, fr together"):
        open_corpus([str(tmp_path)], ["en", "fr"])


def test_a_table_that_is_named_by_its_language_is_a_table(tmp_path):
    licence = "CC-BY 2.0 (France) Attribution: tatoeba.org #1"
    rows = list(zip(ENGLISH, FRENCH, strict=True))
    path = lines(tmp_path / "fra.txt", [f"{a}\t{b}\t{licence}" for a, b in rows])
    for languages in (["fr", "en"], []):
        text = open_corpus([path], languages)
        assert (text.column("en"), text.column("fr")) == (ENGLISH, FRENCH)
    path = lines(tmp_path / "fra.txt", [f"{a}\t{b}" for a, b in rows])
    assert open_corpus([path], ["en", "fr"]).column("fr") == FRENCH
    with pytest.raises(DataError, match="Give --columns en,fr or --columns fr,en"):
        open_corpus([path], ["fr", "en"])
    assert open_corpus([path], ["fr", "en"], columns=["en,fr"]).column("fr") == FRENCH


def test_what_is_left_out_is_said_in_one_line(tmp_path, caplog):
    path = tmp_path / "a.tsv"
    table(path)
    path.write_text(path.read_text() + "x\n\u200b\ty\nz\n")
    assert len(open_corpus([str(path)], ["en", "fr"], skip_bad=True)) == 60
    assert caplog.messages == ["a.tsv: left out 3 rows (2: wrong number of cells, 1: empty line)"]


def test_columns_are_given_for_files_only(tmp_path):
    corpus = [
        lines(tmp_path / f"{name}.tsv", [f"1\t{a}\t{b}" for a, b in zip(ENGLISH, FRENCH, strict=True)]) for name in "ab"
    ]
    assert len(open_corpus(corpus, ["fr", "en"], columns=["-", "en", "fr"])) == 120
    for name in (DEFAULT, str(tmp_path)):
        with pytest.raises(DataError, match="--columns is about files"):
            open_corpus([name], ["en", "fr"], columns=["en,fr"])


def test_the_built_in_corpus_serves_regional_forms():
    assert open_corpus(None, ["en-US", "fr"]).column("en-US") == open_corpus(None, ["en"]).column("en")
    with pytest.raises(DataError, match=r"no Chinese \(Traditional\)"):
        open_corpus(None, ["zh-Hant", "fr"])


def similarity(folder, split, rows, languages=("en", "fr")):
    for language in languages:
        pairs = [f"{language} {i},{language} {i + 1},{i}.0" for i in rows]
        lines(folder / f"sts-{language}-{split}.csv", pairs)


def test_similarity_folders_give_distinct_sentences_of_all_splits(tmp_path):
    similarity(tmp_path, "train", range(60))
    similarity(tmp_path, "test", range(30, 90))
    text = open_corpus([str(tmp_path)], ["en", "fr"])
    assert text.column("en") != sorted(text.column("en"))
    assert sorted(text.column("fr"), key=lambda t: int(t.split()[1])) == [f"fr {i}" for i in range(91)]
    assert [t.split()[1] for t in text.column("en")] == [t.split()[1] for t in text.column("fr")]
    assert len(open_corpus([f"{tmp_path}:train"], ["fr"])) == 61


def test_similarity_files_must_be_aligned(tmp_path):
    similarity(tmp_path, "test", range(60))
    similarity(tmp_path, "test", range(59), ["fr"])
    with pytest.raises(DataError, match=r"sts-en-test.csv has 60 rows, .*sts-fr-test.csv has 59 rows"):
        open_corpus([str(tmp_path)], ["en", "fr"], skip_bad=True)


def test_two_similarity_sets_in_one_folder_are_not_mixed(tmp_path):
    similarity(tmp_path, "test", range(60))
    lines(tmp_path / "other-en-test.csv", ["a,b,1.0"])
    with pytest.raises(DataError, match=r"other-en-test\.csv and sts-en-test\.csv are both English"):
        open_corpus([str(tmp_path)], ["en", "fr"])


def test_similarity_rows_without_two_sentences_are_bad(tmp_path):
    similarity(tmp_path, "test", range(60))
    path = tmp_path / "sts-fr-test.csv"
    path.write_text(path.read_text().replace("fr 7,fr 8,7.0", "fr 7"))
    with pytest.raises(DataError, match="line 8: wrong number of cells"):
        open_corpus([str(tmp_path)], ["en", "fr"])
    assert len(open_corpus([str(tmp_path)], ["en", "fr"], skip_bad=True)) == 61


def test_too_few_pairs_are_refused(tmp_path):
    path = table(tmp_path / "a.tsv", rows=49)
    with pytest.raises(DataError, match=r"a\.tsv has 49 pairs: expected at least 50"):
        open_corpus([path], ["en", "fr"])
    assert len(open_corpus([path], ["en", "fr"], minimum=49)) == 49
    with pytest.raises(DataError, match="--limit 10 is too small"):
        open_corpus(None, ["en"], limit=10)
    (tmp_path / "a.tsv").write_text((tmp_path / "a.tsv").read_text() + "x\n")
    with pytest.raises(DataError, match=r"49 pairs after 1 bad rows were skipped \(1: wrong number of cells\)"):
        open_corpus([path], ["en", "fr"], skip_bad=True)
    memory = tmp_path / "a.tmx"
    memory.write_text('<tmx><tu><tuv xml:lang="en"><seg>a</seg></tuv></tu></tmx>')
    with pytest.raises(DataError, match=r"no French"):
        open_corpus([str(memory)], ["en", "fr"])


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (["nothing-of-that-name"], "unknown corpus 'nothing-of-that-name'.*builtin.*opus-100"),
        (["some/path"], "no such file or folder: some/path"),
        (["gone.tsv"], "no such file or folder"),
        (["gone.en", "gone.fr"], "no such file: gone.en"),
        ([f"{DEFAULT}:cooking"], "unknown corpus"),
    ],
)
def test_what_does_not_exist_is_named(corpus, message):
    with pytest.raises(DataError, match=message):
        open_corpus(corpus, ["en", "fr"])


def test_folders_without_text_say_what_is_expected(tmp_path):
    with pytest.raises(DataError, match=r"no files of one language each: expected names such as text\.en"):
        open_corpus([str(tmp_path)], ["en", "fr"])


@pytest.mark.parametrize("languages", [["en", "it"], ["en", "english"], ["en", "eng"]])
def test_languages_are_checked(languages):
    with pytest.raises(DataError, match=r"it holds en, fr, de|unknown language|are both English"):
        open_corpus(None, languages)


def test_unknown_domains_are_refused():
    from polyglot.data.builtin import load_builtin

    with pytest.raises(DataError, match="no domain 'cooking': it holds computing"):
        load_builtin(domain="cooking")


def test_corpora_are_listed_with_the_built_in_one_first():
    listing = list_corpora()
    assert listing[0].name == DEFAULT
    assert listing[0].languages == ", ".join(LANGUAGES)
    assert not listing[0].needs_network
    assert {"nllb", "opus-100", "flores", "tatoeba"} <= {line.name for line in listing if line.needs_network}


def test_previews_are_drawn_with_the_seed():
    shown = preview(None, "zho_Hans", "fr", rows=4, seed=2)
    assert (shown.source, shown.target, len(shown)) == ("zh", "fr", 4)
    assert shown.sources == preview(None, "zh", "fr", rows=4, seed=2).sources
    assert shown.sources != preview(None, "zh", "fr", rows=4, seed=3).sources


@pytest.mark.shared
def test_real_folders_open(shared_data):
    tatoeba = open_corpus([str(shared_data / "tatoeba")], ["swh", "eng"])
    assert (tatoeba.languages, len(tatoeba)) == (("sw", "en"), 390)
    test = open_corpus([f"{shared_data / 'stsb'}:test"], ["en", "fr", "ja"])
    assert len(test) == len(set(zip(*(test.column(code) for code in test.languages), strict=True)))


def test_tables_beside_text_are_no_similarity_sets(tmp_path):
    for name, row in (("report-old-v.csv", "1,2,3"), ("sales-net-total.csv", "4,5,6")):
        lines(tmp_path / name, [row])
    lines(tmp_path / "x.en", [f"a {i}" for i in range(60)])
    lines(tmp_path / "x.fr", [f"b {i}" for i in range(60)])
    for wanted in ([], ["en", "fr"]):
        assert open_corpus([str(tmp_path)], wanted).languages == ("en", "fr")


def test_files_of_similarity_sets_that_name_no_language_are_left_aside(tmp_path):
    similarity(tmp_path, "test", range(60))
    similarity(tmp_path, "test", range(60), ["ids", "zh_TW"])
    assert open_corpus([str(tmp_path)], []).languages == ("en", "fr", "zh-TW")
    assert open_corpus([str(tmp_path)], ["zh-TW", "fr"]).languages == ("zh-TW", "fr")
