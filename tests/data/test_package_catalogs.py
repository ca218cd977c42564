import sys

import pytest
from polyglot.data.open import find_corpus, open_corpus
from polyglot.errors import DataError

ENTRY = 'msgid "{0}"\nmsgstr "{0} en français"\n\n'


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that must not be imported, with a French catalog of sixty messages."""
    folder = tmp_path / "shop_of_messages"
    messages = folder / "locale" / "fr" / "LC_MESSAGES"
    messages.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    body = "".join(ENTRY.format(f"Message {n}") for n in range(60))
    (messages / "shop.po").write_text(header + body, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "package:shop_of_messages"


def test_the_catalogs_of_a_package_are_read_and_it_is_not_imported(package):
    text = open_corpus([package], ("en", "fr"))
    assert (text.name, len(text)) == (package, 60)
    assert text.bitext("en", "fr").targets[0] == "Message 0 en français"
    assert "shop_of_messages" not in sys.modules


@pytest.mark.parametrize("name", ["package:not_installed_at_all", "package:sys"])
def test_a_package_that_is_not_installed_says_what_to_do(name):
    with pytest.raises(DataError, match="install it first"):
        find_corpus([name], ("en", "fr"))


@pytest.mark.parametrize("name", ["package:", "package:a/b", "package:a.b"])
def test_other_names_are_refused(name):
    with pytest.raises(DataError, match="names no package"):
        find_corpus([name], ("en", "fr"))
