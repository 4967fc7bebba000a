"""The README's table of families, made from the rows that the tests run.

Run as a script, it writes the table into the README.
"""

from __future__ import annotations

from pathlib import Path

from every_case import EVERY_CASE
from family_tokenizers import CLASSES, OF_FAMILY

from tfaigc.families import FAMILIES

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- families: begin -->\n", "<!-- families: end -->\n"
TITLES = {
    "text_classification": "texts",
    "token_classification": "tokens",
    "question_answering": "answers",
    "multiple_choice": "choices",
    "masked_lm": "masked",
    "next_sentence": "next",
    "replaced_token": "replaced",
    "seq2seq_lm": "seq2seq",
    "causal_lm": "causal",
    "image_classification": "images",
}


def family_table() -> str:
    """Builds the table: a row for each family, a column for each head."""
    titles = ["`model_type`", "backbone", *TITLES.values(), "tokenizer"]
    rows = [titles, ["---"] * len(titles)]
    for name in FAMILIES:
        heads = ["L S" if head in EVERY_CASE[name].heads else "" for head in TITLES]
        tokenizer = f"{CLASSES[OF_FAMILY[name]][0]} G" if name in OF_FAMILY else ""
        rows.append([f"`{name}`", "L S", *heads, tokenizer])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def written_table(text: str) -> str:
    """Finds the table in the README's text."""
    return text.partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    page = README.read_text(encoding="utf-8")
    README.write_text(page.replace(written_table(page), family_table()), encoding="utf-8")
