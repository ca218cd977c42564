"""Where a result comes from, as lines of the page: the same for every kind of result."""

from __future__ import annotations

from ...probe.results.provenance import Provenance
from ..formatting import language_name, model_name
from ..view import Fact


def models_of(provenance: Provenance) -> str:
    """Return the names of the models of a result, each once, or that there were none."""
    return (
        ", ".join(dict.fromkeys(model_name(s.model) for s in provenance.models if s.model)) or "no model (given arrays)"
    )


def provenance_facts(provenance: Provenance) -> tuple[Fact, ...]:
    """Return the lines of the provenance that every result has."""
    facts = [
        (Fact(f"model, {language_name(side.language)}", f"{side.model}  {side.model_fingerprint}", code=True))
        for side in provenance.models
    ]
    facts += [
        Fact("corpus", provenance.corpus),
        Fact("corpus fingerprint", provenance.corpus_fingerprint, code=True),
        Fact("seed", str(provenance.seed)),
        Fact("device", f"{provenance.device}, {provenance.dtype}"),
        Fact("versions", ", ".join(f"{k} {v}" for k, v in sorted(provenance.versions.items()))),
    ]
    if provenance.time:
        spent = f" ({provenance.seconds:.0f} s)" if provenance.seconds else ""
        facts.append(Fact("time", f"{provenance.time}{spent}"))
    if provenance.host:
        facts.append(Fact("machine", provenance.host))
    return tuple(facts)
