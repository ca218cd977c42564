"""The result of `polyglot probe linear-map`, schema polyglot/linear-map/1."""

from __future__ import annotations

from dataclasses import dataclass, field

from .intervals import Interval
from .provenance import Provenance

SCHEMA = "polyglot/linear-map/1"


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """P@k, MRR by cosine and P@1 by CSLS of one direction of search."""

    p_at_1: Interval
    p_at_5: Interval
    p_at_10: Interval
    mrr: Interval
    p_at_1_csls: Interval


@dataclass(frozen=True, slots=True)
class RungScores:
    """Held-out scores of one rung: searches as an index is asked, and centred ones that no shrinkage can move."""

    r2: Interval
    cosine: Interval
    p_at_1: Interval
    p_at_5: Interval
    p_at_10: Interval
    mrr: Interval
    p_at_1_csls: Interval
    backward: RetrievalScores
    r2_refitted: Interval | None = None  # by the block jackknife, of the closed-form rungs
    r2_standardised: Interval | None = None  # every coordinate of y divided by its standard deviation
    p_at_1_centred: Interval | None = None  # training means taken out of predictions and targets
    p_at_1_centred_backward: Interval | None = None


@dataclass(frozen=True, slots=True)
class PowerPoint:
    """How often a planted curvature of a given share was detected."""

    share: float
    detected: float
    replicates: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """The verdict, and everything that it rests on (method §5)."""

    verdict: str
    sentence: str
    ceiling: str
    margin: float
    shares: dict[str, Interval]
    equivalences: dict[str, str]
    ceiling_null_p95: float
    by_margin: dict[str, str]
    retrieval_verdict: str
    retrieval_margin: float
    retrieval_gaps: dict[str, Interval]
    curvature_gain: Interval | None = None
    smallest_detectable: float | None = None
    power: tuple[PowerPoint, ...] = ()
    noise_ceiling: Interval | None = None
    noise_ceiling_rows: int = 0
    ceiling_on_those_rows: Interval | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What the training folds of one outer fold chose."""

    penalty: float
    rank: int | None
    regions: int | None
    region_penalty: float | None
    bandwidth: float | None
    curvature_penalty: float | None
    kappa: float | None = None  # pairs that the prior of the rotation weighs as; None for the prior itself
    scale: float | None = None  # of what the linear map is shrunk towards
    towards: str | None = None  # the prior map, the rotation, or zero; `penalty` is then in pairs


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A candidate near a prediction."""

    text: str
    cosine: float
    right: bool


@dataclass(frozen=True, slots=True)
class WorstRow:
    """A row that the judged rung predicts badly, with its nearest candidates."""

    row: int
    source_text: str
    target_text: str
    cosine: float
    rank: int
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class ResidualGroup:
    """Held-out R² and P@1 of the judged rung on a part of the rows."""

    kind: str  # "length", "domain" or "shared words"
    label: str
    rows: int
    r2: Interval
    p_at_1: Interval


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """Held-out R² of the linear rung fitted on some number of training pairs; with the permuted null where measured."""

    pairs: int
    r2: Interval


@dataclass(frozen=True, slots=True)
class PairsNeeded:
    """Training pairs with which the linear rung would reach an R²: from `low` to `high`."""

    r2: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """R² against the number of training pairs, as measured and as foreseen for up to five times the pairs."""

    points: tuple[LearningPoint, ...]
    limit: Interval | None = None  # of results of version 0.1.0, by a power law
    foreseen: tuple[LearningPoint, ...] = ()  # empty where nothing can be said
    needed: PairsNeeded | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What the fitted map does (method §6); angles in degrees."""

    shift_to_spread: float | None  # ‖μy − μx‖ over the root of the variance of x; None between different spaces
    rotation_angles: tuple[float, ...]  # of the orthogonal factor, 0 … 180, one a dimension
    mean_turning: float | None  # mean angle between a row and its rotated image
    stretch: tuple[float, ...]  # singular values where the data lie, largest first
    stretch_spread: float  # standard deviation of log stretch
    rank_of_difference: float | None  # effective rank of W − I
    distance_to_orthogonality: float
    distance_to_similarity: float


@dataclass(frozen=True, slots=True)
class DriftPoint:
    """Mean difference of two local maps against the distance of their regions, in units of the global map."""

    distance: float
    difference: float


@dataclass(frozen=True, slots=True)
class Drift:
    """Drift of local maps, tested against a bootstrap of the noise about the global map."""

    points: tuple[DriftPoint, ...]
    statistic: float
    null_mean: float
    null_p95: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Transfer:
    """R² of a map fitted in one domain and scored in another, (trained, scored)."""

    domains: tuple[str, ...]
    r2: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class ExplorerPoint:
    """A pair in the plane of both spaces (PCA fitted on both sides together), with its neighbours by row number."""

    row: int
    source_text: str
    target_text: str
    source_xy: tuple[float, float]
    target_xy: tuple[float, float]
    mapped_xy: tuple[float, float]
    before: tuple[int, ...]  # rows whose targets are nearest to the source itself (empty in different spaces)
    after: tuple[int, ...]  # rows whose targets are nearest to the mapped source


@dataclass(frozen=True, slots=True)
class MapPicture:
    """Held-out pairs in a plane of the target's space: where the targets lie, and the sources under each map."""

    rows: tuple[int, ...]
    plane_rows: int  # pairs that the plane was fitted on, none of them shown
    targets: tuple[tuple[float, float], ...]
    moved: dict[str, tuple[tuple[float, float], ...]]  # by rung, held-out predictions; of "identity" the sources
    found: dict[str, tuple[bool, ...]]  # by rung, whether each pair's translation is found first among all candidates
    source_texts: tuple[str, ...] = ()  # of the first pairs; empty without texts
    target_texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchExample:
    """A pair searched without a map and with the best one, and how many pairs go the same way."""

    kind: str  # "mended" (found with the map only), "broken" (found without it only) or "unchanged"
    count: int
    row: int
    source_text: str = ""  # texts are empty without texts
    target_text: str = ""
    before: str = ""  # what is found first without a map
    after: str = ""  # with the map `use.best`


@dataclass(frozen=True, slots=True)
class Hubness:
    """Skew of the k-occurrence, Robin Hood index and share of antihubs among targets of the judged rung."""

    skew: float
    robin_hood: float
    antihubs: float
    k: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """What kind of map leads from one language to the other once noise of both sides is taken out (method §3, §5)."""

    verdict: str  # identity, shift, rotation, similarity, linear, nonlinear, "no map" or "undecided"
    reason: str
    sentence: str
    margin: float
    instruments: tuple[str, ...]  # languages whose rendering of the same rows takes the noise out
    map_p_value: float  # of no map at all, by permuted pairs
    shares: dict[str, Interval]  # latent share of each rung: what it explains of what the instruments predict of y
    by_instrument: dict[str, dict[str, Interval]]  # the same through each single instrument
    reliability: tuple[float, ...] = ()  # of source and target: share of their variance that is not noise
    resolution: dict[str, float | None] = field(default_factory=dict)  # least curvature seen, by family; None for none
    curvature_p_value: float | None = None
    rows: int | None = None  # pairs that it rests on, where they are fewer than those of the direction


@dataclass(frozen=True, slots=True)
class Use:
    """Whether a map helps search: P@1 with the targets as an index has them (method §5)."""

    verdict: str  # "no map needed", "a map helps", "no map helps" or "undecided"
    sentence: str
    best: str  # the plainest rung within a point of the best one
    p_at_1: dict[str, Interval]  # of "no map" (where both sides share a space), the best rung and the linear one
    gain: Interval | None  # of the best rung over no map, paired by row; None between different spaces


@dataclass(frozen=True, slots=True)
class ControlScores:
    """Held-out scores of a control; `gap` is its P@1 less that of what it stands beside, paired by row."""

    r2: Interval
    p_at_1: Interval
    gap: Interval | None = None


@dataclass(frozen=True, slots=True)
class WrongLanguageControl:
    """The linear map of another language, fitted on the same training rows and applied to this source.

    Gaps are taken to the source's own linear map.
    """

    as_it_is: ControlScores
    recentred: ControlScores  # with the mean of this source in place of the other language's


@dataclass(frozen=True, slots=True)
class ParaphraseControl:
    """Second renderings in the target's language mapped onto the first ones, on the rows that have them."""

    language: str
    rows: int
    linear: ControlScores  # gap to translation
    no_map: ControlScores  # gap to `linear`
    translation: ControlScores  # the linear map of the source on these rows, fitted to as many pairs


@dataclass(frozen=True, slots=True)
class UntrainedControl:
    """Both languages in an encoder of the same shape with random weights; gaps to the trained one's linear map."""

    linear: ControlScores
    no_map: ControlScores | None  # None between different spaces


@dataclass(frozen=True, slots=True)
class Controls:
    """What stands beside every claim about a map (method §5); None or empty where it was not measured."""

    words: ControlScores | None = None  # ridge from character n-grams of the source straight to y; no encoder
    wrong_language: dict[str, WrongLanguageControl] = field(default_factory=dict)  # by the map's own language
    paraphrase: ParaphraseControl | None = None
    untrained: UntrainedControl | None = None


@dataclass(frozen=True, slots=True)
class AllPairs:
    """R² of the closed-form rungs over all pairs, where everything else of a direction is of a sample (method §4)."""

    n: int
    groups: int
    blocks: int  # that were resampled
    sample: int  # pairs on which everything else rests
    r2: dict[str, Interval]  # of each closed-form rung
    gaps: dict[str, Interval]  # the same less R² in the sample
    ceiling: str  # the best rung; a curved one as it stands to the others in the sample
    verdict: str
    sentence: str
    shares: dict[str, Interval]  # of the ceiling's R²
    equivalences: dict[str, str]
    choices: tuple[Choice, ...]
    latent: dict[str, Interval] = field(default_factory=dict)  # shares by linear instruments; empty without any


@dataclass(frozen=True, slots=True)
class Direction:
    """Everything measured for one direction of translation."""

    source: str
    target: str
    n: int
    groups: int
    dims: tuple[int, int]
    folds: int
    pool: int
    rungs: dict[str, RungScores]
    absent: dict[str, str]
    certificate: Certificate
    judged: str  # the rung whose residuals, worst rows and neighbours are shown
    choices: tuple[Choice, ...]
    worst: tuple[WorstRow, ...]
    warnings: tuple[str, ...]
    anatomy: Anatomy | None = None
    drift: Drift | None = None
    learning_curve: LearningCurve | None = None
    residuals: tuple[ResidualGroup, ...] = ()
    transfer: Transfer | None = None
    hubness: dict[str, Hubness] = field(default_factory=dict)
    explorer: tuple[ExplorerPoint, ...] = ()
    use: Use | None = None
    geometry: Geometry | None = None
    controls: Controls = field(default_factory=Controls)
    picture: MapPicture | None = None
    examples: tuple[SearchExample, ...] = ()
    streamed: AllPairs | None = None  # None where all pairs were measured in memory


@dataclass(frozen=True, slots=True)
class LinearMapResult:
    """Both directions of one language pair in one model (or two)."""

    directions: tuple[Direction, ...]
    permutations: int
    costly_permutations: int
    resamples: int
    provenance: Provenance
    schema: str = SCHEMA
