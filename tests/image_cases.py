"""One row for each family of images that is held against `transformers`."""

from __future__ import annotations

from batteries import FamilyCase

TINY = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 36,
    "image_size": 12,
    "patch_size": 4,
}
VARIANTS = {
    "defaults": {},
    "other sizes": {"image_size": [8, 13], "patch_size": [2, 3], "num_channels": 1},
    "settings": {"qkv_bias": False, "hidden_act": "relu", "layer_norm_eps": 0.1},
}
CASES = {
    name: FamilyCase(
        name=name,
        config=f"{class_name}Config",
        settings=TINY,
        backbone=f"{class_name}Model",
        heads={"image_classification": f"{class_name}ForImageClassification"},
        variants=VARIANTS,
    )
    for name, class_name in [("vit", "ViT"), ("deit", "DeiT")]
}
