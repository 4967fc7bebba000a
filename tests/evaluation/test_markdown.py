import pytest

from tfaigc.evaluation.markdown import escape, shorten


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain text, with 1.5 and a-b!", "plain text, with 1.5 and a-b!"),
        ("a|b", r"a\|b"),
        ("line\r\nbreak\ttab\x00", "line break tab"),
        ("`code` **bold** ~~gone~~", r"\`code\` \*\*bold\*\* \~\~gone\~\~"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("![x](http://y)", r"\!\[x\](http://y)"),
        ("macro_f1 _it_", r"macro_f1 \_it\_"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("back\\slash", r"back\\slash"),
        ("cost $5$", r"cost \$5\$"),
        ("\u202eevil", "evil"),
        ("\U0001f469\u200d\U0001f4bb ok", "\U0001f469\u200d\U0001f4bb ok"),
        ("", ""),
    ],
)
def test_escape(text, escaped):
    assert escape(text) == escaped


def test_shorten():
    assert shorten("x" * 300, 200) == "x" * 199 + "…"
    assert shorten("x" * 200, 200) == "x" * 200
    assert escape("|" * 300, limit=3) == r"\|\|…"
