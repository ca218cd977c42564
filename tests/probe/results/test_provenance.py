import socket

import numpy as np
from polyglot.probe.results.provenance import Start, versions


def test_a_record_holds_what_is_needed_to_make_a_result_again():
    record = Start.now("polyglot probe linear-map en fr").provenance(corpus="builtin", fingerprint="abc", seed=7)
    assert (record.command, record.corpus, record.corpus_fingerprint, record.seed) == (
        "polyglot probe linear-map en fr",
        "builtin",
        "abc",
        7,
    )
    assert record.time.endswith("+00:00")
    assert record.host == socket.gethostname()
    assert 0 <= record.seconds < 60
    assert record.models == ()


def test_versions_name_what_the_numbers_depend_on():
    found = versions()
    assert found["numpy"] == np.__version__
    assert {"python", "torch", "scipy", "scikit-learn"} <= set(found)


def test_packages_that_are_absent_are_left_out(monkeypatch):
    monkeypatch.setattr("polyglot.probe.results.provenance.PACKAGES", ("numpy", "no-such-package-anywhere"))
    assert set(versions()) == {"python", "numpy"}
