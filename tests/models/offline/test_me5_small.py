import ctypes
import re
import shutil
import struct
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from polyglot.errors import MissingExtraError, ModelError
from polyglot.models.offline import e5_format, me5_small

SENTENCES = [
    *("The quick brown fox jumps over the lazy dog.", "I don't know what you mean by “freedom”.", "It costs $3.50!"),
    *("My sister's three cats sleep all day.", "Where is the nearest railway station?", "WHAT  a   day :-)"),
    *("We've been waiting since 8:45 p.m.", "Stop!", "Antidisestablishmentarianism is a long word."),
    *("Il fait déjà nuit, rentrons à la maison.", "Où as-tu mis mes clés ?", "Straße, Größe und Übermut", "Çok güzel!"),
    *("¿Dónde está la biblioteca?", "Dziękuję bardzo za pomoc.", "Người Việt Nam thích cà phê.", "ﬁne ½ ① ™ …"),
    *("Москва — столица России.", "Я не говорю по-русски.", "Где находится ближайшая аптека?", "Ёжик в тумане"),
    *("Він читає цікаву книгу.", "Добрий ранок, як справи?", "Обичам планината през зимата.", "Снег идёт уже три дня."),
    *(
        "أين تقع محطة القطار؟",
        "أحب القراءة في المساء.",
        "السلام عليكم ورحمة الله",
        "هذا الكتاب مفيد جدا.",
        "كم الساعة الآن؟",
    ),
    *("او هر روز به مدرسه می‌رود.", "کتاب روی میز است.", "میں آپ سے کل ملوں گا۔"),
    *("मुझे हिंदी बोलना पसंद है।", "आज मौसम बहुत अच्छा है।", "क्या आप मेरी मदद कर सकते हैं?", "वह बाज़ार गया है।", "ज़िंदगी ख़ूबसूरत है।"),
    *(
        "我每天早上喝一杯咖啡。",
        "今天天气很好，我们去公园吧！",
        "這本書非常有趣。",
        "北京是中国的首都。",
        "ＡＢＣ１２３",
    ),
    *("東京は日本の首都です。", "明日は雨が降るでしょう～", "猫が好きです。", "コンピューターを買いました。", "ｶﾀｶﾅ"),
    *("안녕하세요, 만나서 반갑습니다.", "저는 매일 아침 운동을 합니다."),
]


@pytest.fixture(scope="module")
def real_file():
    try:
        return me5_small.ME5_SMALL.verified_weights()
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def parsed(real_file):
    return e5_format.read_e5(real_file)


@pytest.fixture(scope="module")
def engine(real_file, tmp_path_factory):
    """Build the package's own engine, with its tokenizer made visible, and load the same file with it."""
    compiler = shutil.which("gcc")
    if compiler is None or sys.platform == "win32" or not (real_file.parent / "e5.c").is_file():
        pytest.skip("needs gcc and the C source in the package to build the engine to compare with")
    folder = tmp_path_factory.mktemp("engine")
    source, library = folder / "engine.c", folder / "engine.so"
    source.write_text(
        f'#include "{real_file.parent / "e5.c"}"\n'
        "int content_tokens(e5_model *model, const char *text, int *ids, int most)\n"
        "{ return tok_content(&model->tok, text, ids, most); }\n"
    )
    command = [compiler, "-O2", "-w", "-fPIC", "-shared", "-o", str(library), str(source), "-lm"]
    built = subprocess.run(command, capture_output=True, check=False, timeout=120)
    if built.returncode:
        pytest.skip(f"the engine cannot be built here: {built.stderr.decode()[:200]}")
    return Engine(ctypes.CDLL(str(library)), real_file)


class Engine:
    def __init__(self, library, path):
        self.library = library
        library.e5_load.restype = ctypes.c_void_p
        library.e5_load.argtypes = [ctypes.c_char_p]
        library.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
        library.content_tokens.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
        self.model = library.e5_load(str(path).encode())
        assert self.model

    def tokens(self, text):
        ids = np.zeros(4096, np.int32)
        count = self.library.content_tokens(self.model, text.encode(), ids.ctypes.data, len(ids))
        return ids[:count].tolist()

    def query(self, text):
        vector = np.zeros(384, np.float32)
        assert self.library.e5_embed(self.model, text.encode(), 1, vector.ctypes.data) == 0
        return vector


def naive_block(block):
    """Decode 18 bytes value by value."""
    scale = float(np.frombuffer(block[:2], "<f2")[0])
    values = [0.0] * 32
    for place, byte in enumerate(block[2:]):
        values[place] = ((byte & 15) - 8) * scale
        values[place + 16] = ((byte >> 4) - 8) * scale
    return values


def test_dequantise_equals_the_naive_reading():
    rng = np.random.default_rng(0)
    scales = rng.normal(size=50).astype("<f2")
    data = b"".join(scale.tobytes() + rng.integers(0, 256, 16, dtype=np.uint8).tobytes() for scale in scales)
    oracle = [value for start in range(0, len(data), 18) for value in naive_block(data[start : start + 18])]
    np.testing.assert_array_equal(e5_format.dequantise(np.frombuffer(data, np.uint8)), np.array(oracle, np.float32))


def test_dequantise_one_block_by_hand():
    block = np.float16(0.5).tobytes() + bytes([0xF0] + [0x88] * 15)
    values = e5_format.dequantise(np.frombuffer(block, np.uint8))
    assert values[0] == -4.0
    assert values[16] == 3.5
    assert np.count_nonzero(values) == 2


def test_the_real_header(parsed):
    header, tokens = parsed.header, parsed.tokenizer
    assert (header.hidden, header.layers, header.heads, header.feed_forward) == (384, 12, 12, 1536)
    assert (header.vocabulary, header.positions, header.token_types, header.block) == (250_037, 512, 2, 32)
    assert len(tokens.pieces) == 250_002
    assert [tokens.pieces[index] for index in (tokens.bos, tokens.pad, tokens.eos, tokens.unk)] == [
        *("<s>", "<pad>", "</s>", "<unk>")
    ]


def test_the_whole_character_map_is_honoured(parsed):
    tokenizer = me5_small.unigram_tokenizer(parsed.tokenizer)
    assert len(parsed.tokenizer.characters) > 4000
    for char, text in parsed.tokenizer.characters.items():
        assert tokenizer.normalizer.normalize_str(char) == re.sub(" {2,}", " ", text), hex(ord(char))


def test_pieces_of_one_character_keep_their_form(parsed):
    tokenizer = me5_small.unigram_tokenizer(parsed.tokenizer)
    for piece in parsed.tokenizer.pieces:
        if len(piece) == 1 and piece not in parsed.tokenizer.characters:
            assert tokenizer.normalizer.normalize_str(piece) == piece


def collapsed(ids, unknown):
    return [index for place, index in enumerate(ids) if index != unknown or place == 0 or ids[place - 1] != unknown]


def test_tokens_equal_those_of_the_engine(parsed, engine):
    tokenizer = me5_small.unigram_tokenizer(parsed.tokenizer)
    assert len(SENTENCES) >= 50
    for sentence in SENTENCES:
        text = unicodedata.normalize("NFC", f"query: {sentence}")
        ours = tokenizer.encode(text).ids
        assert ours == [0, *collapsed(engine.tokens(text), parsed.tokenizer.unk), 2], sentence


def test_unknown_characters_and_combining_marks_differ_as_documented(parsed, engine):
    tokenizer = me5_small.unigram_tokenizer(parsed.tokenizer)
    unknown = parsed.tokenizer.unk
    assert engine.tokens("\U00010780\U00010781").count(unknown) == 2
    assert tokenizer.encode("\U00010780\U00010781").ids.count(unknown) == 1
    assert tokenizer.encode("e\u0301te\u0301").ids == tokenizer.encode("\u00e9t\u00e9").ids


def test_embeddings_equal_those_of_the_engine(me5_folder, engine):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(me5_folder), device="cpu")
    assert model.get_embedding_dimension() == 384
    ours = model.encode(SENTENCES, prompt="query: ", show_progress_bar=False)
    theirs = np.stack([engine.query(sentence) for sentence in SENTENCES])
    assert (ours * theirs).sum(axis=1).min() >= 0.999


@pytest.mark.parametrize("data", [b"", b"E5S1", b"GGUF" + bytes(200), b"E5S1" + struct.pack("<I", 2) + bytes(100)])
def test_other_files_are_errors(tmp_path, data):
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(ModelError, match=r"not a whole 4-bit E5 model"):
        e5_format.read_e5(tmp_path / "model.bin")


def test_cut_files_are_errors(tmp_path, tiny_e5):
    data = tiny_e5.read_bytes()
    cut = tmp_path / "cut.bin"
    for length in (60, 300, 500, len(data) - 10):
        cut.write_bytes(data[:length])
        with pytest.raises(ModelError, match=r"not a whole|damaged"):
            dict(me5_small.bert_weights(e5_format.read_e5(cut)))


def test_a_tiny_file_becomes_a_model(tmp_path, tiny_e5):
    from sentence_transformers import SentenceTransformer

    me5_small.decode_e5(tiny_e5, tmp_path)
    model = SentenceTransformer(str(tmp_path), device="cpu")
    weights = dict(me5_small.bert_weights(e5_format.read_e5(tiny_e5)))
    loaded = model[0].model.state_dict()
    assert set(loaded) == set(weights)
    for name, values in weights.items():
        np.testing.assert_array_equal(loaded[name].numpy(), values)
    vectors = model.encode(["ab", "a b"], show_progress_bar=False)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert model.tokenizer("ab c")["input_ids"] == [0, 4, 5, 6, 2]


def test_an_absent_tensor_is_an_error(tiny_e5):
    model = e5_format.read_e5(tiny_e5)
    with pytest.raises(ModelError, match=r"tensor no-such of shape"):
        model.tensor("no-such", 3)
    with pytest.raises(ModelError, match=r"tensor emb.word of shape"):
        model.tensor("emb.word", 3, 3)
