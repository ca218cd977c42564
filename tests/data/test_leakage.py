import numpy as np
import pyarrow as pa
import pytest
from polyglot.data.bitext import ParallelText
from polyglot.data.leakage import Kind, check_overlap, drop_overlap, ngram_keys, plain_words
from polyglot.errors import DataError

VOWELS, CONSONANTS = "aeiouéà", "bcdfghjklmnprstvz"


def invented(n, seed, prefix):
    """Return n sentences of invented words; those of two prefixes have no 13 words in common."""
    generator = np.random.default_rng(seed)
    syllables = generator.integers(0, len(VOWELS) * len(CONSONANTS), (n, 18, 3))
    words = [
        [prefix + "".join(CONSONANTS[s % 17] + VOWELS[s // 17] for s in word) for word in row] for row in syllables
    ]
    return [" ".join(row).capitalize() + "." for row in words]


def parallel(**columns):
    return ParallelText.of("made", pa.table(columns))


def counts(report):
    return {(o.language, o.kind): o.count for o in report.overlaps if o.count}


def test_regional_forms_of_a_language_are_compared():
    texts = invented(3, 1, "q")
    report = check_overlap(parallel(en=texts), parallel(**{"en-US": texts[:1], "en-GB": texts[1:2]}, fr=["a"]))
    assert report.training_rows.tolist() == [0, 1]
    with pytest.raises(DataError, match="no language in common"):
        check_overlap(parallel(zh=texts), parallel(**{"zh-TW": texts}))


def test_planted_overlaps_are_found_and_no_others():
    training, evaluation = invented(10_000, 1, "q"), invented(1000, 2, "w")
    training[17] = evaluation[3]
    training[4000] = evaluation[5].upper().replace("É", "E").replace("À", "a")
    training[9999] = evaluation[6].replace(" ", ", ").replace(".", " !")
    words = evaluation[8].rstrip(".").split()
    training[500] = "Yesterday someone said " + " ".join(words[2:15]) + " and went away"
    training[501] = "Yesterday someone said " + " ".join(words[2:14]) + " and went away"
    report = check_overlap(parallel(fr=training), parallel(fr=evaluation))
    found = {overlap.kind: overlap for overlap in report.overlaps}
    assert found[Kind.EXACT].training_rows.tolist() == [17]
    assert found[Kind.EXACT].evaluation_rows.tolist() == [3]
    assert found[Kind.NORMALISED].training_rows.tolist() == [4000, 9999]
    assert found[Kind.NORMALISED].evaluation_rows.tolist() == [5, 6]
    assert found[Kind.NGRAM].training_rows.tolist() == [500]
    assert found[Kind.NGRAM].evaluation_rows.tolist() == [8]
    assert report.training_rows.tolist() == [17, 500, 4000, 9999]
    assert found[Kind.NGRAM].examples[0].training_text == training[500]
    assert found[Kind.NGRAM].examples[0].evaluation_text == evaluation[8]


def test_dropping_leaves_nothing_to_find():
    training = parallel(fr=["un", "DEUX", "trois"], de=["eins", "zwei", "drei"])
    evaluation = parallel(fr=["deux", "quatre"], de=["Drei.", "vier"])
    report = check_overlap(training, evaluation)
    assert counts(report) == {("fr", Kind.NORMALISED): 1, ("de", Kind.NORMALISED): 1}
    rest = drop_overlap(training, report)
    assert rest.column("de") == ["eins"]
    assert check_overlap(rest, evaluation).sentence() == "No row of made overlaps with made."


def test_the_finding_is_one_sentence():
    report = check_overlap(parallel(en=["a", "b"]), parallel(en=["a", "c", "d", "a"]))
    assert report.sentence() == "1 of 2 rows of made overlap with 1 of 4 rows of made (25.0%)."
    assert report.evaluation_rows.tolist() == [0]


def test_a_report_drops_rows_of_its_own_text_only():
    training = parallel(en=["a", "b"])
    report = check_overlap(training, parallel(en=["a"]))
    with pytest.raises(DataError, match="not about this text"):
        drop_overlap(parallel(en=["b", "a"]), report)


def test_corpora_need_a_common_language():
    with pytest.raises(DataError, match=r"made \(en\) and made \(fr, de\) have no language in common"):
        check_overlap(parallel(en=["a"]), parallel(fr=["a"], de=["b"]))


def test_scripts_without_spaces_are_compared_by_characters():
    sentence = "昨天下午我们在图书馆门口等了将近两个小时也没有见到那位作家"
    assert len(ngram_keys(sentence)) == len(sentence) - 19
    training = [f"听说{sentence[4:24]}，真可惜。", f"听说{sentence[4:23]}，真可惜。", sentence[:12]]
    report = check_overlap(parallel(zh=training), parallel(zh=[sentence]))
    assert counts(report) == {("zh", Kind.NGRAM): 1}
    assert report.training_rows.tolist() == [0]


@pytest.mark.parametrize("text", ["สวัสดีครับวันนี้อากาศดีมากเลยนะครับผม", "これはひらがなだけでできたながいぶんしょうです"])
def test_thai_and_japanese_have_no_word_ngrams(text):
    assert len(ngram_keys(text)[0]) == 20


def test_short_texts_have_no_ngrams():
    assert ngram_keys("twelve words are not enough for it to be found by its words") == [
        "twelve words are not enough for it to be found by its words"
    ]
    assert ngram_keys("one two three") == []


def test_punctuation_alone_overlaps_with_nothing():
    assert counts(check_overlap(parallel(en=["!?", "..."]), parallel(en=["—", "?!"]))) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [("L’été, ÇA y est !", ["l", "ete", "ca", "y", "est"]), ("Ёлка", ["елка"]), ("हिन्दी", ["हिन्दी"]), ("が", ["が"])],
)
def test_accents_fall_but_letters_of_other_scripts_stay(text, words):
    assert plain_words(text) == words
