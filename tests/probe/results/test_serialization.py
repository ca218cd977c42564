import json
from dataclasses import dataclass

import numpy as np
import pytest
from polyglot.errors import DataError
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.serialization import from_json, read_schema, to_json


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Sample:
    count: int
    parts: tuple[Inner, ...]
    place: tuple[float, float]
    by_name: dict[str, Interval]
    maybe: Inner | None = None
    schema: str = "polyglot/sample/1"


SAMPLE = Sample(
    3,
    (Inner("α", 0.5), Inner("b", float("nan"))),
    (1.0, 2.0),
    {"linear": Interval(0.5, 0.4, 0.6, null_p95=0.1)},
    Inner("c", 1.0),
)


def changed(**fields):
    return json.dumps(json.loads(to_json(SAMPLE)) | fields)


def test_what_is_written_is_read_back():
    text = to_json(SAMPLE)
    again = from_json(text, Sample)
    assert np.isnan(again.parts[1].share)
    assert again.by_name == SAMPLE.by_name
    assert (again.count, again.place, again.maybe) == (3, (1.0, 2.0), Inner("c", 1.0))
    assert to_json(again) == text


def test_json_is_plain_utf8_without_nan():
    text = to_json(SAMPLE)
    assert "α" in text
    assert "NaN" not in text
    assert json.loads(text)["parts"][1]["share"] is None
    assert text.endswith("}\n")


def test_numbers_of_numpy_are_written_as_numbers():
    assert json.loads(to_json(Inner("a", np.float64(0.25))))["share"] == 0.25


def test_unknown_fields_are_ignored_and_defaults_filled_in():
    assert from_json(changed(later="a field of version 2"), Sample).count == 3
    short = {k: v for k, v in json.loads(to_json(SAMPLE)).items() if k not in {"maybe", "schema"}}
    again = from_json(json.dumps(short), Sample)
    assert again.maybe is None
    assert again.schema == "polyglot/sample/1"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"count": "three"}, r"Sample.count should be .*int.*, got str"),
        ({"parts": [{"name": "a"}]}, r"Sample.parts\[0\] has no 'share'"),
        ({"parts": {}}, r"Sample.parts should be .*list.*, got dict"),
        ({"place": [1.0]}, r"Sample.place should hold 2 values, got 1"),
        ({"by_name": []}, r"Sample.by_name should be .*dict"),
        ({"by_name": {"linear": 1}}, r"Sample.by_name.linear should be .*dict"),
        ({"maybe": {"name": "a", "share": "much"}}, r"Sample.maybe.share should be"),
    ],
)
def test_what_is_wrong_is_named(fields, message):
    with pytest.raises(DataError, match=message):
        from_json(changed(**fields), Sample)


def test_a_missing_field_is_named():
    short = {k: v for k, v in json.loads(to_json(SAMPLE)).items() if k != "place"}
    with pytest.raises(DataError, match="Sample has no 'place'"):
        from_json(json.dumps(short), Sample)


def test_text_that_is_not_json_is_no_result():
    for read in (read_schema, lambda text: from_json(text, Sample)):
        with pytest.raises(DataError, match="not JSON"):
            read("<html>")


def test_the_schema_is_read_without_the_rest():
    assert read_schema(to_json(SAMPLE)) == "polyglot/sample/1"
    for text in ("[]", "{}", '{"schema": 1}', '{"schema": "other/1"}'):
        with pytest.raises(DataError, match="expected a JSON object with a `schema`"):
            read_schema(text)
