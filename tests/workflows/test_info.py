"""``tfaigc info`` describes models and data, quickly."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tfaigc.cli import cli

# A description's names of facts take as much room, and a space.
_WIDTH = 13


def info(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["info", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def facts(out: str) -> dict[str, str]:
    """Takes the lines of a description to values by name; several of one name are joined."""
    found: dict[str, str] = {}
    for line in out.splitlines():
        name, value = line[:_WIDTH].strip(), line[_WIDTH:]
        found[name] = f"{found[name]}; {value}" if name in found else value
    return found


def test_a_trained_model(tiny_classifier: Path) -> None:
    status, out, _ = info(tiny_classifier)
    assert status == 0
    lines = facts(out)
    assert lines["family"] == "bert"
    assert lines["labels"] == "negative, positive"
    assert lines["max_length"] == "128"
    assert lines["layers"] == "2"
    assert lines["task heads"] == lines["for task"] == "text_classification"
    assert lines["made fresh"] == lines["left out"] == "nothing"
    assert lines["weights"].startswith("model.safetensors: 41 tensors, float32, 0.")
    assert lines["tokenizer"].endswith(
        "tokens; normalizer: BertNormalizer; pre-tokenizer: BertPreTokenizer; model: WordPiece; "
        "post-processor: TemplateProcessing; decoder: WordPiece"
    )
    assert lines["in the graph"] == "yes"
    assert f"tfaigc predict {tiny_classifier} 'A gorgeous film.'" in out


def test_a_pretrained_model_is_for_training(tiny_bert: Path) -> None:
    status, out, _ = info(tiny_bert)
    assert status == 0
    assert "labels" not in out
    lines = facts(out)
    assert lines["task heads"] == "none"
    assert lines["made fresh"] == "classifier"
    assert f"tfaigc train examples/sentiment.yaml model_name_or_path={tiny_bert}" in out


def test_data(reviews_csv: Path) -> None:
    status, out, _ = info(reviews_csv)
    assert status == 0
    lines = facts(out)
    assert (lines["rows"], lines["columns"]) == ("48", "text, label")
    assert lines["classes"] == "negative 24, positive 24"
    assert f"train_data={reviews_csv} text_column=text label_column=label" in out


TAGGED = "Ada B-PER\nwon O\n\nBonn B-LOC\n. O\n"
CHAT = '[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]'
FORMS = {
    "classes and faults": (
        *("a.csv", "text,label\none,x\none,y\n ,x\ntwo,\n3,4,5\n"),
        {"rows": "4", "unusable": "3 of the rows", "classes": "x 1, y 1"},
        "sentiment.yaml",
    ),
    "numbers": ("a.tsv", "text\tlabel\na b\t0.5\nc\t2\n", {"numbers": "0.5 to 2"}, "ratings.yaml"),
    "several classes": ("a.csv", 'text,labels\na,x\nb,"x,y"\n', {"classes": "x 2, y 1"}, "true"),
    "tags": ("a.txt", TAGGED, {"entities": "LOC 1, PER 1"}, "entities.yaml"),
    "texts": ("a.txt", "some text\nmore of it\n", {"rows": "2"}, "masked_words.yaml"),
    "pairs": ("a.csv", "source,target\na,b\na,b\n", {"duplicates": "1"}, "pronouncer.yaml"),
    "scores": (
        "a.csv",
        "text,text_pair,score\na,b,1\n",
        {"texts": "scored pairs"},
        "embeddings.yaml",
    ),
    "chat": ("a.jsonl", f'{{"messages": {CHAT}}}', {"rows": "1"}, "writer.yaml"),
    "unknown": ("a.csv", "body\na\n", {"columns": "body"}, "info {path} --text-column body"),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_records_say(form: str, tmp_path: Path) -> None:
    name, content, expected, following = FORMS[form]
    (tmp_path / name).write_text(content)
    status, out, err = info(tmp_path / name)
    assert status == 0, err
    lines = facts(out)
    assert {key: lines[key][: len(value)] for key, value in expected.items()} == expected
    assert out.rstrip().splitlines()[-1].find(following.format(path=tmp_path / name)) > 0


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"tokens": ["Ada", "won"], "ner": ["B-PER", "O"]}\n')
    status, out, _ = info(path, "--words-column", "tokens", "--tags-column", "ner")
    assert (status, facts(out)["entities"]) == (0, "PER 1")
    assert "entities.yaml" in out
    assert "words_column=tokens tags_column=ner" in out


def test_each_bad_row_has_a_line_and_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\none,x\none,y\n ,x\ntwo,\n3,4,5\n")
    _, out, _ = info(tmp_path / "a.csv")
    for fault in (
        "line 4: text is empty",
        "line 5: label is missing",
        "line 6: must have 2 fields",
    ):
        assert f"{tmp_path / 'a.csv'}, {fault}" in out
    assert facts(out)["duplicates"] == "1; 1 with more than one label"


def test_quiet_keeps_the_description(reviews_csv: Path) -> None:
    _, out, _ = info(reviews_csv, "--quiet")
    assert "negative 24" in out
    assert "Next" not in out


def test_what_is_neither(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    status, out, err = info(tmp_path)
    assert (status, out) == (2, "")
    assert "must hold config.json" in err
    assert info(tmp_path / "missing")[0] == 2


def test_a_run_directory_leads_to_its_model(tmp_path: Path, tiny_classifier: Path) -> None:
    (tmp_path / "model").symlink_to(tiny_classifier)
    status, _, err = info(tmp_path)
    assert status == 2
    assert f"Name the model in it: {tmp_path / 'model'}" in err


def test_sentences_with_tags(tmp_path: Path) -> None:
    path = tmp_path / "ner.txt"
    path.write_text("Ada B-PER\nwon O\n\nBonn B-LOC\n. O\n")
    status, out, _ = info(path)
    assert status == 0
    assert facts(out)["entities"] == "LOC 1, PER 1"
    assert f"examples/entities.yaml train_data={path}" in out
    path.write_text("Ada B-PER\nwon X\nBonn B-LOC\n")
    status, _, err = info(path)
    assert status == 2
    assert "ner.txt, line 1: tags[1] ('won') must be one of O, B-LOC" in err


def test_tensorflow_stays_out_of_data(reviews_csv: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['tfaigc', 'info', {str(reviews_csv)!r}]\n"
        "from tfaigc.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_what_becomes_of_another_tasks_parts(tmp_path: Path, tiny_bert: Path) -> None:
    import torch
    from conftest import tiny_bert_config
    from transformers import BertForMaskedLM

    shutil.copytree(tiny_bert, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").unlink()
    model = BertForMaskedLM(tiny_bert_config())
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    model.config.save_pretrained(tmp_path)
    status, out, _ = info(tmp_path)
    lines = facts(out)
    assert status == 0
    assert lines["task heads"] == "masked_lm"
    assert lines["for task"] == "text_classification"
    assert lines["made fresh"] == "pooler, classifier"
    assert "cls.predictions.transform.dense.weight" in lines["left out"]
    assert lines["weights"].startswith("pytorch_model.bin: ")


def test_parts_of_a_tokenizer_that_the_graph_lacks(tmp_path: Path, tiny_bert: Path) -> None:
    shutil.copytree(tiny_bert, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "tokenizer.json"
    spec = json.loads(path.read_text())
    spec["pre_tokenizer"] = {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "UnicodeScripts"},
            {"type": "Digits", "individual_digits": True},
        ],
    }
    path.write_text(json.dumps(spec))
    _, out, _ = info(tmp_path)
    lines = facts(out)
    assert "pre-tokenizer: UnicodeScripts, Digits;" in lines["tokenizer"]
    assert lines["in the graph"].startswith("no. A pre-tokenizer must be of a type")
    assert "Received: 'UnicodeScripts'" in lines["in the graph"]


def test_a_model_without_a_tokenizer_is_described(tmp_path: Path, tiny_bert: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        shutil.copy(tiny_bert / name, tmp_path)
    status, out, _ = info(tmp_path)
    assert status == 0
    assert facts(out)["tokenizer"].startswith("none: ")


def test_checkpoints_that_cannot_be_loaded(tmp_path: Path, tiny_bert: Path) -> None:
    shutil.copytree(tiny_bert, tmp_path, dirs_exist_ok=True)
    stated = json.loads((tiny_bert / "config.json").read_text())
    for changes, message in [
        ({"model_type": "bertt"}, "Did you mean 'bert'?"),
        ({"hidden_act": "gelo"}, "Did you mean 'gelu'?"),
        ({"num_hidden_layers": 3}, "must have every weight of the model. Missing:"),
        ({"hidden_size": 64}, "must have the shape"),
    ]:
        (tmp_path / "config.json").write_text(json.dumps(stated | changes))
        status, out, err = info(tmp_path)
        assert (status, out) == (2, "")
        assert message in err


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_preset_of_keras_hub(tmp_path: Path) -> None:
    from keras_hub import models

    models.BertBackbone(
        9, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=8
    ).save_to_preset(str(tmp_path))
    status, out, _ = info(tmp_path)
    assert status == 0
    lines = facts(out)
    assert lines["family"] == "KerasHub's Bert"
    assert lines["hidden size"] == "8"
    assert lines["fits tasks"].startswith("text_classification, ")
    assert lines["made fresh"] == "the task's head"
