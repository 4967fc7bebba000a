"""What a recipe's keys are called elsewhere."""

from __future__ import annotations

_OTHER_NAMES = {
    "model_name_or_path": (
        "model checkpoint model_name model_id source pretrained_model_name_or_path backbone"
    ),
    "labels": "classes class_names label_names label_list",
    "label_all": "label_all_tokens label_all_subwords",
    "multi_label": "multilabel is_multi_label problem_type",
    "max_length": "max_len max_seq_length max_seq_len sequence_length model_max_length",
    "max_target_length": "max_output_length target_max_length max_summary_length",
    "source_prefix": "prefix task_prefix",
    "source_lang": "src_lang source_language",
    "target_lang": "tgt_lang target_language",
    "precision": "dtype mixed_precision bf16 fp16 dtype_policy",
    "train_data": "train_file train data data_file data_files dataset dataset_name train_path",
    "validation_data": (
        "validation_file validation valid_data val_data dev_data eval_data eval_file dev_file"
    ),
    "test_data": "test_file test test_path",
    "text_column": "text_column_name text_columns text_field sentence_column",
    "text_pair_column": "text_pair_column_name pair_column second_text_column",
    "label_column": "label_column_name label_field",
    "words_column": "tokens_column words_column_name word_column",
    "tags_column": "ner_tags_column tags_column_name tag_column",
    "allow_no_answer": "version_2_with_negative squad_v2 handle_impossible_answer",
    "question_column": "question_column_name",
    "context_column": "context_column_name passage_column paragraph_column",
    "answers_column": "answers_column_name answer_column_name",
    "doc_stride": "stride document_stride",
    "max_answer_length": "max_answer_len",
    "null_score_diff_threshold": "null_threshold no_answer_threshold",
    "prompt_column": "instruction_column prompt_field",
    "response_column": "completion_column answer_column output_column",
    "messages_column": "conversations_column chat_column messages_field",
    "anchor_column": "query_column",
    "positive_column": "positive_text_column passage_column",
    "negative_column": "negative_text_column",
    "score_column": "similarity_column score_field",
    "embedding_loss": "objective contrastive_loss",
    "matryoshka_dims": "matryoshka_widths embedding_dims",
    "source_column": "input_column document_column article_column src_column",
    "target_column": "summary_column translation_column tgt_column",
    "validation_fraction": (
        "validation_split validation_size val_fraction validation_split_percentage"
    ),
    "test_fraction": "test_split test_size",
    "max_train_samples": "max_samples max_examples num_train_samples limit",
    "learning_rate": "lr",
    "warmup_steps": "warmup_ratio warmup warmup_proportion warmup_fraction num_warmup_steps",
    "lr_scheduler_type": "scheduler lr_scheduler schedule lr_schedule learning_rate_schedule",
    "max_grad_norm": "gradient_clip gradient_clipping clipnorm global_clipnorm clip_norm",
    "label_smoothing_factor": "label_smoothing smoothing",
    "focal_gamma": "focal gamma focal_loss_gamma",
    "class_weights": "class_weight weights pos_weight",
    "huber_delta": "delta huber",
    "mlm_probability": "mask_probability masking_probability mask_prob",
    "whole_word_mask": "whole_word_masking wwm whole_word",
    "num_train_epochs": "epochs num_epochs n_epochs max_epochs",
    "batch_size": (
        "per_device_train_batch_size train_batch_size per_device_eval_batch_size eval_batch_size"
    ),
    "batch_tokens": "max_tokens tokens_per_batch max_tokens_per_batch token_budget",
    "packed": "packing pack use_packing sample_packing",
    "gradient_checkpointing": "rematerialize remat activation_checkpointing recompute",
    "freeze_layers": "freeze frozen_layers num_frozen_layers freeze_backbone",
    "cache_features": "feature_cache cache_embeddings",
    "gradient_accumulation_steps": "accumulate_grad_batches accumulation_steps grad_accumulation",
    "on_nan": "nan nan_policy",
    "save_steps": "every_steps save_every checkpoint_steps checkpoint_every",
    "save_minutes": "every_minutes save_interval checkpoint_minutes",
    "save_total_limit": "keep keep_checkpoints max_to_keep max_checkpoints",
    "early_stopping_patience": "patience early_stopping",
    "deterministic": "full_determinism determinism",
    "seed": "random_seed random_state data_seed",
    "output_dir": "output output_path run_dir run_directory output_directory",
    "export_dir": "export export_path export_directory savedmodel_dir",
    "report_to": "trackers tracking loggers logger tracker",
    "overwrite_output_dir": "overwrite force",
    "resume_changed": "accept_changes resume_from_checkpoint",
}

OTHER_NAMES = {other: name for name, others in _OTHER_NAMES.items() for other in others.split()}
"""What the same idea is called elsewhere, by that other name."""
