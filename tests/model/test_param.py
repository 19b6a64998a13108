"""The .param syntax is the union of JSON and Python literals (FORMATS 1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.model.param import format_param, parse_param

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.dictionaries(
    st.text(),
    st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20),
)


@given(trees)
def test_what_is_written_reads_back_equal(tree):
    assert parse_param(format_param(tree), "x.param").data == tree


@given(trees)
def test_a_python_literal_reads_as_itself(tree):
    assert parse_param(repr(tree), "x.param").data == tree


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{'a': [(0.0, 1.0), (2, 3,),],}", {"a": [[0.0, 1.0], [2, 3]]}),
        (
            '\n\t{"a": null, "b": None, "c": true, "d": True, "e": -1e-3}\n',
            {"a": None, "b": None, "c": True, "d": True, "e": -1e-3},
        ),
        ("{'path': '/a (b)/None/it\\'s.syn'}", {"path": "/a (b)/None/it's.syn"}),
        ("# a comment\n{'a': 1}  # another", {"a": 1}),
        ("{'a': ((1, (2,)), [])}", {"a": [[1, [2]], []]}),
    ],
)
def test_both_dialects_are_read(text, data):
    assert parse_param(text, "x.param").data == data


def test_key_order_is_file_order():
    assert list(parse_param("{'z': 1, 'a': 2, 'm': 3}", "x").data) == ["z", "a", "m"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'a': 1,\n 'b': }", "x.param:2: "),
        ("{'a': 1,\n\n 'a': 2}", "x.param:3: a stands twice"),
        ("[1, 2]", "a mapping"),
        ("{'a': __import__('os')}", "x.param:1: a \"__import__('os')\" is not a plain value"),
        ("{1: 2}", "a key is not a string"),
        ("{'a': 1e999}", "not a finite number"),
        ("", "x.param"),
        ("{'a': \x00}", "x.param"),
    ],
)
def test_anything_else_is_refused_with_its_line(text, message):
    with pytest.raises(InputError) as error:
        parse_param(text, "x.param")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_lines_of_keys_and_items_are_known():
    param = parse_param("\n{\n 'a': {\n  'b': [1,\n 2]}}", "x.param")
    assert param.line(("a", "b")) == 4
    assert param.line(("a", "b", 1)) == 5
    assert param.line(("a", "missing")) == 3
    assert str(param.error(("a", "b", 1), "is odd")) == "x.param:5: a.b[1] = 2 is odd"


def test_the_reference_files_are_read(reference):
    cell = (reference / "model" / "86_C2_center.param").read_text()
    network = (reference / "model" / "network.param").read_text()
    data = parse_param(cell, "cell").data
    assert data["neuron"]["cell_modify_functions"] == {"scale_apical_morph_86": {}}
    assert len(parse_param(network, "network").data["network"]) == 278
