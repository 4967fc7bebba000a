"""Bricks that Transformers are laid from, in ``keras.ops`` only."""

from tfaigc.layers.activations import ACTIVATIONS, activation
from tfaigc.layers.attention import Attention, Memory
from tfaigc.layers.cache import AttentionCache, TextCache, write_columns
from tfaigc.layers.disentangled_attention import DisentangledAttention
from tfaigc.layers.embeddings import TransformerEmbeddings
from tfaigc.layers.feed_forward import FeedForward
from tfaigc.layers.global_attention import GlobalAttention
from tfaigc.layers.heads import LanguageModelHead, PredictionHead, VocabularySettings
from tfaigc.layers.image_embeddings import ImageEmbeddings
from tfaigc.layers.layer_factory import LayerFactory
from tfaigc.layers.layout import Layout, PackedLayout, PaddedLayout, make_layout
from tfaigc.layers.masks import attention_bias
from tfaigc.layers.pooling import POOLING_MODES, SentencePooling
from tfaigc.layers.positions import positions_in_text, positions_past_padding
from tfaigc.layers.recomputing import recomputed
from tfaigc.layers.relative_attention import RelativeAttention, RelativeWaves
from tfaigc.layers.relative_bias import RelativeBias, relative_buckets
from tfaigc.layers.relative_embeddings import RelativeEmbeddings
from tfaigc.layers.rotary import rotary_angles
from tfaigc.layers.text_summary import SummarySettings, TextSummary
from tfaigc.layers.texts import OwnRows, SharedRows, Texts, find_texts
from tfaigc.layers.transformer_block import TransformerBlock

__all__ = [
    "ACTIVATIONS",
    "POOLING_MODES",
    "Attention",
    "AttentionCache",
    "DisentangledAttention",
    "FeedForward",
    "GlobalAttention",
    "ImageEmbeddings",
    "LanguageModelHead",
    "LayerFactory",
    "Layout",
    "Memory",
    "OwnRows",
    "PackedLayout",
    "PaddedLayout",
    "PredictionHead",
    "RelativeAttention",
    "RelativeBias",
    "RelativeEmbeddings",
    "RelativeWaves",
    "SentencePooling",
    "SharedRows",
    "SummarySettings",
    "TextCache",
    "TextSummary",
    "Texts",
    "TransformerBlock",
    "TransformerEmbeddings",
    "VocabularySettings",
    "activation",
    "attention_bias",
    "find_texts",
    "make_layout",
    "positions_in_text",
    "positions_past_padding",
    "recomputed",
    "relative_buckets",
    "rotary_angles",
    "write_columns",
]
