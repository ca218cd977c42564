"""The explorers' data: shared columns once, coordinates to less than a pixel."""

import base64
import dataclasses
import gzip
import json

from polyglot.render.charts.explorer import LARGEST, explorer, packed_explorers


def unpacked(packed):
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_every_pair_arrives_with_its_texts_and_neighbours(result):
    points = result.directions[0].explorer
    data = unpacked(packed_explorers([explorer(points, "en-fr", ("en", "fr"))]))
    used = {name: data["columns"][place] for name, place in data["explorers"]["en-fr-explorer"].items()}
    assert used["row"] == [p.row for p in points]
    assert used["source"] == [p.source_text for p in points]
    assert used["after"] == [list(p.after) for p in points]


def test_a_column_that_two_directions_share_is_packed_once(result):
    points = result.directions[0].explorer
    turned = [
        dataclasses.replace(
            p, source_text=p.target_text, target_text=p.source_text, source_xy=p.target_xy, target_xy=p.source_xy
        )
        for p in points
    ]
    both = [explorer(points, "en-fr", ("en", "fr")), explorer(turned, "fr-en", ("fr", "en"))]
    data = unpacked(packed_explorers(both))
    assert data["explorers"]["en-fr-explorer"]["source"] == data["explorers"]["fr-en-explorer"]["target"]
    assert data["explorers"]["en-fr-explorer"]["targetXY"] == data["explorers"]["fr-en-explorer"]["sourceXY"]
    assert len(data["columns"]) == 8


def test_coordinates_are_kept_to_a_fraction_of_the_plane(result):
    points = result.directions[0].explorer
    tiny = [
        dataclasses.replace(p, source_xy=tuple(v / 1000 for v in p.source_xy), target_xy=(0.0, 0.0)) for p in points
    ]
    data = unpacked(packed_explorers([explorer(tiny, "a", ("en", "fr"))]))
    kept = data["columns"][data["explorers"]["a-explorer"]["sourceXY"]]
    span = max(v for p in tiny for v in p.source_xy) - min(v for p in tiny for v in p.source_xy)
    error = max(abs(a - b) for k, p in zip(kept, tiny, strict=True) for a, b in zip(k, p.source_xy, strict=True))
    assert error <= span / 2000


def test_what_is_too_much_is_left_out_and_counted(result):
    points = result.directions[0].explorer[:1] * (LARGEST + 3)
    found = explorer(points, "a", ("en", "fr"))
    assert (found.count, found.left_out) == (LARGEST, 3)


def test_nothing_to_explore_is_nothing():
    assert explorer((), "a", ("en", "fr")) is None
    assert packed_explorers([]) == ""
