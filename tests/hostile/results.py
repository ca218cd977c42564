"""A small result of every kind that arrays give, as JSON text."""

import json

import numpy as np


def small_results():
    """Return JSON texts by schema."""
    from polyglot.probe.cka import run as cka
    from polyglot.probe.cka.config import CkaConfig
    from polyglot.probe.composition import run as composition
    from polyglot.probe.geometry import run as geometry
    from polyglot.probe.language_id import run as language_id
    from polyglot.probe.layers import run as layers
    from polyglot.probe.layers.config import LayersConfig
    from polyglot.probe.linear_map import run as linear_map
    from polyglot.probe.linear_map.config import LinearMapConfig
    from polyglot.probe.results.serialization import to_json
    from polyglot.probe.retrieval import run as retrieval
    from polyglot.probe.retrieval.config import RetrievalConfig

    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4))
    y, z = (x @ np.linalg.qr(rng.standard_normal((4, 4)))[0] + 0.1 * rng.standard_normal((60, 4)) for _ in "yz")
    two, three = [x, y], ("x", "y", "z")
    quick = LinearMapConfig(permutations=2, costly_permutations=1, resamples=100, power_replicates=2)
    results = (
        linear_map.measure(x, y, config=quick),
        retrieval.measure(x, y, config=RetrievalConfig(resamples=100)),
        layers.measure(two, two[::-1], config=LayersConfig(permutations=2, costly_permutations=1)),
        cka.measure(two, two[::-1], config=CkaConfig(permutations=2)),
        composition.measure([x, y, z], names=three),
        geometry.measure([x, y, z], names=three),
        language_id.measure([x, y, z], names=three),
    )
    texts = [to_json(result) for result in results]
    return {json.loads(text)["schema"]: text for text in texts}
