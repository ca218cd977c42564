from polyglot.train.insertion.tokenizer_report import report_tokenizer
from polyglot.train.stages.pretrain_tokenizer import train_tokenizer


def test_a_trained_vocabulary_reads_its_text_and_keeps_accents():
    tokenizer = train_tokenizer(["l'été à la plage", "la pêche au péché"] * 20, 120)
    assert len(tokenizer) <= 120
    report = report_tokenizer(tokenizer, ["la pêche", "l'été"], "fr")
    assert report.unknown_rate == 0.0
    assert tokenizer("pêche")["input_ids"] != tokenizer("péche")["input_ids"]
    assert tokenizer.mask_token_id is not None


def test_a_vocabulary_is_the_same_in_every_process():
    """The library numbers letters by a hash table; two processes of one run would not agree."""
    import subprocess
    import sys

    program = (
        "from polyglot.data.builtin import load_builtin; "
        "from polyglot.train.stages.pretrain_tokenizer import train_tokenizer; "
        "made = train_tokenizer(load_builtin(['en']).column('en')[:300], 1500); "
        "print(made.backend_tokenizer.to_str())"
    )
    command = [sys.executable, "-c", program]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first == second
    assert first.count('special": true') <= 5
