import gzip

import polib
import pytest
from polyglot.data.readers.gettext import find_catalogs, locale_language, read_catalog, read_catalogs
from polyglot.data.readers.lines import BadRows
from polyglot.errors import DataError


def catalog(path, texts, *, language="", packed=False):
    """Write a catalog of the kind that the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = polib.MOFile() if ".mo" in path.name else polib.POFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8"} | ({"Language": language} if language else {})
    for english, text in texts.items():
        made.append(polib.POEntry(msgid=english, msgstr=text))
    plain = path.with_suffix("") if packed else path
    made.save(str(plain))
    if packed:
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return path


def read(path, wanted=("en", "fr"), *, skip=False):
    bad = BadRows(skip=skip)
    return (read_catalogs if path.is_dir() else read_catalog)(path, wanted, bad).table().to_pydict(), bad


TEXTS = {"Open the file": "Ouvrir le fichier", "Two\nlines": "Deux\nlignes", "Not yet": ""}


@pytest.mark.parametrize("name", ["app.fr.po", "fr.po", "fr/LC_MESSAGES/app.mo", "fr.mo"])
def test_a_catalog_tells_its_language_by_its_place(tmp_path, name):
    columns, bad = read(catalog(tmp_path / name, TEXTS))
    assert columns == {"en": ["Open the file", "Two lines"], "fr": ["Ouvrir le fichier", "Deux lignes"]}
    assert bad.counts == {}
    assert read(tmp_path / name, ())[0] == columns


@pytest.mark.parametrize("name", ["app.po", "app.mo", "app.po.gz", "app.mo.gz"])
def test_a_catalog_tells_its_language_by_its_header(tmp_path, name):
    path = catalog(tmp_path / name, TEXTS, language="pt_BR", packed=name.endswith("gz"))
    assert read(path, ("pt", "en"))[0]["pt"] == ["Ouvrir le fichier", "Deux lignes"]
    assert set(read(path, ())[0]) == {"en", "pt-BR"}
    with pytest.raises(DataError, match=r"no French \(fr\): it holds en, pt-BR"):
        read(path, ("en", "fr"))


def test_a_catalog_of_no_known_language_takes_the_one_asked_for(tmp_path):
    path = catalog(tmp_path / "messages.po", TEXTS)
    assert set(read(path, ("sw", "en"))[0]) == {"sw", "en"}
    with pytest.raises(DataError, match="does not name its language"):
        read(path, ())


def test_what_is_not_translated_is_counted_not_refused(tmp_path):
    made = polib.POFile()
    made.metadata = {"Language": "fr"}
    made.append(polib.POEntry(msgid="a", msgstr="b"))
    made.append(polib.POEntry(msgid="c", msgstr="d", flags=["fuzzy"]))
    made.append(polib.POEntry(msgid="e", msgstr="f", obsolete=True))
    made.append(polib.POEntry(msgid="g", msgid_plural="gs", msgstr_plural={0: "h", 1: "hs"}))
    made.append(polib.POEntry(msgid="i", msgstr=""))
    made.save(str(tmp_path / "fr.po"))
    columns, bad = read(tmp_path / "fr.po")
    assert columns == {"en": ["a"], "fr": ["b"]}
    assert bad.left_out == {"obsolete or fuzzy message": 2, "plural form": 1, "untranslated message": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("fr.po", b'msgid "a"\nmsgstr "b"\nrubbish here\n'),
        ("fr.po", b'msgid "a"\nmsgstr "\xff\xfe"\n'),
        ("fr.po", b'msgid "a\0"\nmsgstr "b"\n'),
        ("fr.mo", b"not a catalog"),
        ("fr.mo", b""),
        ("fr.mo", b"\xde\x12\x04\x95" + b"\0\0\0\0" + b"\xff\xff\xff\x7f" + b"\x1c\0\0\0" * 2),
    ],
)
def test_damaged_catalogs_are_refused_or_counted(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="not a message catalog"):
        read(tmp_path / name)
    columns, bad = read(tmp_path / name, skip=True)
    assert columns == {"en": [], "fr": []}
    assert bad.counts == {"not a message catalog": 1}


@pytest.mark.parametrize("wanted", [(), ("en", "fr"), ("en",)])
def test_damage_is_said_with_its_line_whatever_is_asked_for(tmp_path, wanted):
    path = tmp_path / "messages.po"
    path.write_text('msgid "a"\nmsgstr "b"\n\nmsgid "Say "hi""\nmsgstr "c"\n\nmsgid "d"\nmsgstr "e"\n')
    with pytest.raises(DataError, match=r"not a message catalog .*line 4\): unescaped double quote"):
        read(path, wanted)
    with pytest.raises(DataError, match=r"does not name its language.*line 4\): unescaped double quote"):
        read(path, (), skip=True)


def test_the_messages_of_a_damaged_catalog_are_counted(tmp_path):
    header = 'msgid ""\nmsgstr "Language: fr\\n"\n\n'
    (tmp_path / "a.po").write_text(header + 'msgid "a"\nmsgstr "b"\n\n' * 4 + "rubbish here\n")
    columns, bad = read(tmp_path / "a.po", skip=True)
    assert columns == {"en": [], "fr": []}
    assert bad.counts == {"not a message catalog": 4}


@pytest.mark.parametrize("charset", ["hex", "rot13", "idna", "x-unknown", "CHARSET"])
def test_character_sets_that_are_none_give_text_or_one_line(tmp_path, charset):
    content = f'msgid ""\nmsgstr "Content-Type: text/plain; charset={charset}\\n"\n\nmsgid "a"\nmsgstr "b"\n'
    (tmp_path / "fr.po").write_text(content)
    try:
        columns, _ = read(tmp_path / "fr.po")
    except DataError as error:
        columns = "not a message catalog" in str(error) and {"en": ["a"], "fr": ["b"]}
    assert columns == {"en": ["a"], "fr": ["b"]}


def test_the_name_of_a_program_is_no_language(tmp_path):
    path = catalog(tmp_path / "app.po", TEXTS)
    assert read(path)[0]["fr"] == ["Ouvrir le fichier", "Deux lignes"]
    with pytest.raises(DataError, match="does not name its language"):
        read(path, ())
    assert set(read(path, ("en", "app"))[0]) == {"en", "app"}


def test_messages_that_show_nothing_are_not_translated(tmp_path):
    columns, bad = read(catalog(tmp_path / "fr.po", {"a": "\u200b", "b": "c"}))
    assert columns == {"en": ["b"], "fr": ["c"]}
    assert bad.left_out == {"untranslated message": 1}


def test_other_separators_inside_of_messages_do_not_break_lines(tmp_path):
    (tmp_path / "fr.po").write_text('msgid "a\u2028b"\nmsgstr "c\x0bd"\n', "utf-8")
    assert read(tmp_path / "fr.po")[0] == {"en": ["a b"], "fr": ["c d"]}


@pytest.fixture
def tree(tmp_path):
    catalog(tmp_path / "fr" / "LC_MESSAGES" / "app.mo", {"a": "a-fr", "b": "b-fr"})
    catalog(tmp_path / "fr_CA" / "LC_MESSAGES" / "app.mo", {"a": "a-ca"})
    catalog(tmp_path / "fr_CA" / "LC_MESSAGES" / "other.mo", {"o": "o-ca"})
    catalog(tmp_path / "zh_CN" / "LC_MESSAGES" / "app.mo", {"b": "b-cn", "c": "c-cn"})
    catalog(tmp_path / "zh_TW" / "LC_MESSAGES" / "app.mo", {"b": "b-tw"})
    return tmp_path


def test_locale_trees_are_joined_by_message_and_program(tree):
    assert read(tree)[0] == {
        "en": ["a", "b", "o"], "fr": ["a-fr", "b-fr", "o-ca"], "domain": ["app", "app", "other"],
    }  # fmt: skip
    assert read(tree, ("fr", "zh"))[0] == {"fr": ["b-fr"], "zh": ["b-cn"], "domain": ["app"]}
    assert read(tree, ("zh-Hant", "en"))[0]["zh-Hant"] == ["b-tw"]
    assert {found.language for found in find_catalogs(tree)} == {"fr", "fr-CA", "zh-CN", "zh-TW"}


def test_another_territory_or_script_does_not_serve(tree):
    assert read(tree, ("fr-BE", "en"))[0]["fr-BE"] == ["a-fr", "b-fr"]
    with pytest.raises(DataError, match="no Chinese"):
        read(tree, ("zh-Latn", "en"))
    assert read(tree, ("fr-CA", "en"))[0]["fr-CA"] == ["a-ca", "o-ca"]


def test_locale_trees_say_what_they_hold(tree):
    with pytest.raises(DataError, match=r"no German \(de\): it holds en, fr, fr-CA"):
        read(tree, ("en", "de"))
    with pytest.raises(DataError, match="say which languages"):
        read(tree, ())
    catalog(tree / "de" / "LC_MESSAGES" / "third.mo", {"a": "b"})
    with pytest.raises(DataError, match="no program that is translated to fr and de"):
        read(tree, ("fr", "de"))


@pytest.mark.parametrize(
    ("name", "code"),
    [("fr_FR.UTF-8", "fr-FR"), ("ca@valencia", "ca"), ("sr@latin", "sr-Latn"), ("C", None), ("", None)],
)
def test_locale_names(name, code):
    assert locale_language(name) == code


def test_bytes_of_another_encoding_name_the_line(tmp_path):
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (tmp_path / "fr.po").write_bytes(f'{head}msgid "Summer"\nmsgstr "été"\n'.encode("latin-1"))
    with pytest.raises(DataError, match=r"fr\.po, line 5: not a message catalog \(UnicodeDecodeError"):
        read(tmp_path / "fr.po")
    (tmp_path / "fr.po").write_bytes(
        f'{head.replace("UTF-8", "latin-1")}msgid "Summer"\nmsgstr "été"\n'.encode("latin-1")
    )
    assert read(tmp_path / "fr.po")[0]["fr"] == ["été"]


def test_of_a_message_that_stands_twice_the_first_is_taken_and_the_other_counted(tmp_path):
    (tmp_path / "fr.po").write_text('msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n')
    columns, bad = read(tmp_path / "fr.po")
    assert columns == {"en": ["a"], "fr": ["b"]}
    assert bad.left_out == {"message that stands twice": 1}
