"""Operations that older servers lack, by the version that brought them.

TensorFlow's are those by which the packages tensorflow-cpu 2.12 to 2.21 differ, without those for
TPUs; TensorFlow Text's are what the server's own build links.
"""

from __future__ import annotations

_BROUGHT = {
    (2, 13): (
        "CollectiveAllToAllV2 DebugIdentityV3 RaggedFillEmptyRows RaggedFillEmptyRowsGrad "
        "SegmentMaxV2 SegmentMinV2 SnapshotChunkDataset"
    ),
    (2, 14): (
        "Conv RelayoutLike SparseSegmentMeanGradV2 SparseSegmentSqrtNGradV2 SparseSegmentSumGradV2 "
        "TFRecordDatasetV2"
    ),
    (2, 15): "FFTND IFFTND IRFFTND RFFTND",
    (2, 16): "DatasetFingerprint GlobalIterId ListSnapshotChunksDataset",
    (
        2,
        17,
    ): "GlobalShuffleDataset IndexFlatMapDataset IteratorGetModelProto WeightedFlatMapDataset",
    (2, 18): "CheckPinned",
    (2, 20): "DecodeWebP TFText>RoundRobinTrim TFText>Utf8Binarize",
    (2, 21): "DecodeJxl",
}

NEWER_OPS = {name: version for version, names in _BROUGHT.items() for name in names.split()}
"""The first server's version by the operation's name."""
