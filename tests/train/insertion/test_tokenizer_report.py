import pytest
from polyglot.train.insertion.tokenizer_report import report_tokenizer


def test_an_unreadable_language_is_named(tokenizer):
    report = report_tokenizer(tokenizer, ["собака ест хлеб"], "ru")
    assert report.unknown_rate == 1.0
    assert "cannot read ru" in report.warnings[0]
    assert "100.0% of them unknown" in report.sentence


def test_accents_that_fall_together_are_counted(tokenizer):
    report = report_tokenizer(tokenizer, ["a à ou où dog"], "fr")
    assert report.accent_collisions == pytest.approx(4 / 5)
    assert report.fertility == pytest.approx(7 / 5)
    assert report.unknown_rate == 0.0
