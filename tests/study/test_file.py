"""What is wrong with the file of a study is said in one line with the fix, before anything heavy is loaded."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from polyglot.errors import PolyglotError
from polyglot.study.file import read_study_file

ROOT = Path(__file__).resolve().parents[2]
PROBE = '[[probes]]\nprobe = "retrieval"\nmodels = ["words"]\nlanguages = ["fr"]\n'
TRAINING = '[[training]]\nname = "one"\nstage = "finetune"\nmodels = ["minilm"]\nlanguages = ["fr"]\n'
CIPHER = '[corpora.code]\ncipher = "rotation"\n'


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return read_study_file(path)

    return read


def test_defaults(read):
    study = read(PROBE)
    assert (study.title, study.pivot, study.level, study.margin) == ("study", "en", 0.05, 0.05)
    assert list(study.corpora) == ["builtin"]
    assert study.probes[0].seeds == (0,)
    assert study.probes[0].corpora == ("builtin",)


WRONG = {
    "is no TOML": "title = ",
    "unknown key 'titel'; did you mean title?": 'titel = "x"\n' + PROBE,
    "nothing is to be done": 'title = "x"',
    "write [[probes]], not [probes]": '[probes]\nprobe = "retrieval"',
    "unknown 'retrival'; did you mean retrieval?": PROBE.replace("retrieval", "retrival"),
    "languages is missing": PROBE.replace('languages = ["fr"]', ""),
    "did you mean minilm": PROBE.replace("words", "minilmm"),
    "unknown language 'xx1'": PROBE.replace("fr", "xx1"),
    "en is the pivot": PROBE.replace("fr", "en"),
    "The built-in corpus has no": PROBE.replace("fr", "it"),
    "expected a list such as ['fr']": PROBE.replace('["fr"]', '"fr"'),
    "'fr' is given twice": PROBE.replace('["fr"]', '["fr", "fr"]'),
    "languages: expected at least one": PROBE.replace('["fr"]', "[]"),
    "seeds: expected 0 or more": PROBE + "seeds = [-1]",
    "unknown 'other'; known: builtin": PROBE + 'corpora = ["other"]',
    "unknown key 'permutation'; did you mean permutations?": PROBE + "settings = { permutation = 20 }",
    "permutations: expected a whole number, got '20'": PROBE + 'settings = { permutations = "20" }',
    "expected permutations of at least 20": PROBE + "settings = { permutations = 2 }",
    "unknown key 'seed'": PROBE + "settings = { seed = 2 }",
    "no such file or folder": '[corpora.mine]\ncorpus = ["mine/none.tsv"]\n' + PROBE,
    "limit: expected at least 50": "[corpora.mine]\nlimit = 10\n" + PROBE,
    "unknown 'rotations'; did you mean rotation?": CIPHER.replace("rotation", "rotations") + PROBE,
    "order and width are of ciphers": '[corpora.code]\norder = "scrambled"\n' + PROBE,
    "holds no fr; its language is qaa": CIPHER + PROBE,
    "unknown 'aling'; did you mean align?": TRAINING + 'methods = ["aling"]',
    "model is decided by the study": TRAINING + 'settings = { model = "minilm" }',
    "unknown key 'max_step'; did you mean max_steps?": TRAINING + "settings = { max_step = 3 }",
    "must be at least 1": TRAINING + "settings = { max_steps = 0 }",
    "only the stage finetune has methods": TRAINING.replace("finetune", "contrastive") + 'methods = ["align"]',
    "there is 'new' already": TRAINING.replace('"one"', '"new"'),
    "are for probes; name another": TRAINING.replace("minilm", "words"),
    "new is what pretraining begins with": PROBE.replace("words", "new"),
    "unknown 'gains'; did you mean gain?": PROBE + '[[families]]\ntest = "gains"',
    "margin: expected a number, got 'x'": PROBE + '[[families]]\nmargin = "x"',
    "training: unknown ''": PROBE + '[[contrasts]]\nmethods = ["align", "words"]',
    "unknown 'words'; known: align": TRAINING + '[[contrasts]]\ntraining = "one"\nmethods = ["align", "words"]',
    "at most 0.4, got 0.5": "margin = 0.5\n" + PROBE,
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_said_in_one_line(read, said):
    with pytest.raises(PolyglotError) as raised:
        read(WRONG[said])
    message = str(raised.value)
    assert said.lower() in message.lower()
    assert "study.toml" in message
    if "TOML" not in said:
        assert "\n" not in message


def test_paths_are_relative_to_the_file(read, tmp_path):
    (tmp_path / "mine.tsv").write_text("en\tfr\n", encoding="utf-8")
    study = read('[corpora.mine]\ncorpus = ["mine.tsv"]\n' + PROBE)
    assert study.corpora["mine"].corpus == (str(tmp_path / "mine.tsv"),)


def test_reading_loads_nothing_heavy(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(TRAINING + PROBE.replace("words", "one"), encoding="utf-8")
    line = (
        "import sys; from pathlib import Path; from polyglot.study.file import read_study_file; "
        f"read_study_file(Path({str(path)!r})); "
        "print([name for name in ('torch', 'transformers', 'sentence_transformers', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_study_of_the_repository_and_that_of_the_page_are_read(read, tmp_path):
    study = read_study_file(ROOT / "reports" / "study.toml")
    assert {corpus.cipher for corpus in study.corpora.values()} > {"rotation", "no map"}
    assert len(study.contrasts) == 3
    examples = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "study.md").read_text(encoding="utf-8"), re.S)
    (tmp_path / "my.tsv").write_text("en\tfr\tde\n", encoding="utf-8")
    for example in examples:
        assert read(example).probes
    assert len(examples) == 2
