"""The families that tfaigc knows, by the ``model_type`` of ``config.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfaigc.checkpoints import read_gguf_config
from tfaigc.errors import CheckpointError, ConfigError, suggestion
from tfaigc.families.albert import ALBERT
from tfaigc.families.bart import BART, MBART
from tfaigc.families.bert import BERT
from tfaigc.families.deberta_v2 import DEBERTA_V2
from tfaigc.families.distilbert import DISTILBERT
from tfaigc.families.electra import ELECTRA
from tfaigc.families.family import Family
from tfaigc.families.gpt2 import GPT2
from tfaigc.families.gpt_neox import GPT_NEOX
from tfaigc.families.llama import LLAMA
from tfaigc.families.longformer import LONGFORMER
from tfaigc.families.marian import MARIAN
from tfaigc.families.mistral import MISTRAL
from tfaigc.families.modernbert import MODERNBERT
from tfaigc.families.mpnet import MPNET
from tfaigc.families.opt import OPT
from tfaigc.families.pegasus import PEGASUS
from tfaigc.families.qwen import QWEN2, QWEN3
from tfaigc.families.roberta import CAMEMBERT, ROBERTA, XLM_ROBERTA
from tfaigc.families.t5 import MT5, T5
from tfaigc.families.vit import DEIT, VIT
from tfaigc.families.xlnet import XLNET

FAMILIES: dict[str, Family] = {
    family.model_type: family
    for family in (
        BERT,
        ROBERTA,
        XLM_ROBERTA,
        CAMEMBERT,
        DISTILBERT,
        ELECTRA,
        ALBERT,
        MPNET,
        DEBERTA_V2,
        MODERNBERT,
        LONGFORMER,
        XLNET,
        T5,
        MT5,
        BART,
        MBART,
        MARIAN,
        PEGASUS,
        GPT2,
        LLAMA,
        MISTRAL,
        QWEN2,
        QWEN3,
        GPT_NEOX,
        OPT,
        VIT,
        DEIT,
    )
}


def read_config_file(directory: Path) -> dict[str, Any]:
    """Reads a checkpoint's ``config.json``, or else the settings in its GGUF file.

    Args:
        directory: A checkpoint in Hugging Face layout, or with a GGUF file alone.

    Returns:
        The parsed file.

    Raises:
        CheckpointError: The file is missing, is no JSON object, or states what cannot be read.
    """
    path = directory / "config.json"
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        from_gguf = read_gguf_config(directory)
        if from_gguf is not None:
            return from_gguf
        raise CheckpointError(
            f"A checkpoint directory must hold config.json. Received: {directory}, which holds "
            f"{_listing(directory)}. Give the directory that config.json is in."
        ) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON: {error}. Fetch it again.") from error
    if not isinstance(stated, dict):
        raise CheckpointError(f"{path} must hold a JSON object. Received: {type(stated).__name__}.")
    return stated


def family_of(stated: Mapping[str, Any]) -> Family:
    """Finds the family of a checkpoint.

    Args:
        stated: The parsed ``config.json``.

    Returns:
        The family.

    Raises:
        ConfigError: ``model_type`` is absent or not known.
    """
    model_type = stated.get("model_type")
    if model_type is None:
        # config.json did not state model_type before transformers 2.
        for architecture in stated.get("architectures") or ():
            for family in FAMILIES.values():
                name = family.architecture.removesuffix("Model")
                if str(architecture).startswith((f"{name}For", f"TF{name}For")):
                    return family.adapt(family, stated)
    if model_type not in FAMILIES:
        raise ConfigError(
            f"model_type in config.json must be one of {', '.join(FAMILIES)}. "
            f"Received: {model_type!r}.{suggestion(str(model_type), FAMILIES)} "
            "Take a checkpoint of one of these families, or a preset of KerasHub (keras_hub://NAME)."
        )
    family = FAMILIES[model_type]
    return family.adapt(family, stated)


def _listing(directory: Path) -> str:
    names = sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []
    return ", ".join(names[:10]) + (" …" if len(names) > 10 else "") if names else "nothing"
