"""The .param syntax is the union of JSON and Python literals (docs/formats.md, Parameter files)."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.formats.isf.param import MOST_BYTES, format_param, parse_param

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


def told(text: str) -> str:
    with pytest.raises(InputError) as error:
        parse_param(text, "x.param")
    message = str(error.value)
    assert "\n" not in message
    assert len(message) <= 600
    return message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'a': " + "-" * 100_000 + "1}", "x.param:1: a '----"),
        ("{'a':\n" + "+" * 100_000 + "1}", "x.param:2: a '++++"),
        ("{'a': --1}", "'--1' is not a plain value"),
        ("{'a': " + "[" * 100_000 + "]" * 100_000 + "}", "is nested too deeply; expected at most 100"),
        ("{'a': " * 100_000 + "1" + "}" * 100_000, "is nested too deeply; expected at most 100"),
        ("(" * 100_000, "is nested too deeply"),
        ("{'a': '\\ud800'}", "x.param:1: a holds half of a surrogate pair"),
        ("{'\\udc00': 1}", "x.param:1: holds half of a surrogate pair"),
        ("{'a': 0x" + "f" * 100_000 + "}", "a 0xffff"),
        ("{'a': " + "9" * 100_000 + "}", "is too long a number; expected at most 400 characters"),
        ("{'a': [1, 2,\n" + "9" * 4000 + "]}", "x.param:2: a[2] 9999"),
        ("{'a': 1" + "0" * 350 + "}", "is not a finite number"),
        ("{'a': [0.0, 1e999]}", "x.param:1: a[1] '1e999' is not a finite number"),
        ("{'a': -Infinity}", "'-Infinity' is not a finite number"),
        ("{'a': NaN}", "'NaN' is not a finite number"),
        ("{'a':\n '\0'}", "x.param:2: holds a NUL character"),
        ("{'a': 007}", "'007' is not a plain value"),
        ("{'a': 1__0}", "'1__0' is not a plain value"),
        ("{'a': 1 + 2}", "'+ 2' is out of place; expected a comma or }"),
        ("{'a': '\\x0'}", "is not a string"),
        ("{'a': 'b", "is not a plain value"),
        ("{'a': [1, 2", "ends too early; expected a comma or ]"),
        ("{'a'", "ends within a mapping"),
        ("{'a' 1}", "has no value; expected a colon"),
        ("{'a': 1}, 2", "stands after the end"),
        ("{'a': b'1'}", "is not a plain value"),
        ("{'a': {1, 2}}", "a key is not a string"),
    ],
    ids=lambda part: part[:24],
)
def test_a_hostile_text_is_refused_in_one_short_line(text, message):
    assert message in told(text)


def test_a_text_without_bound_is_refused_before_it_is_read():
    assert told("{'a': '" + "x" * MOST_BYTES + "'}").endswith("expected a parameter file of at most 16,777,216")


@pytest.mark.parametrize(
    "items", [", ".join(["12345"] * 10**6), ",\n".join(["0.5"] * 10**6) + ",\n"], ids=["row", "column"]
)
def test_a_million_numbers_cost_little_more_than_themselves(items):
    tracemalloc.start()
    param = parse_param("{'a': [" + items + "]}", "x.param")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(param.data["a"]) == 10**6
    assert most < 80e6  # a syntax tree of them has 1 GB


@given(st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False)), st.sampled_from(["[]", "()"]))
def test_a_list_of_numbers_reads_as_the_same_list_with_something_else_in_it(numbers, around):
    row = "".join(f"{n!r}, " for n in numbers)
    read = parse_param(f"{{'a': {around[0]}{row}{around[1]}, 'b': [{row}None]}}", "x.param").data
    assert read["a"] == numbers
    assert read["b"] == [*numbers, None]
    assert [type(n) for n in read["a"]] == [type(n) for n in numbers]


def test_the_line_of_an_item_is_found_in_a_long_list():
    rows = ",\n".join(map(str, range(1000)))
    param = parse_param("{'z': [\n" + rows + "],\r\n'b': {'c': [0,\n\n1]}}", "x.param")
    assert param.line(("z", 700)) == 702
    assert param.line(("b",)) == 1002
    assert param.line(("b", "c", 1)) == 1004
    assert param.line(("b", "c", 9)) == 1002
    assert param.line(("q",)) is None


def test_the_reference_files_are_read(reference):
    cell = (reference / "model" / "86_C2_center.param").read_text()
    network = (reference / "model" / "network.param").read_text()
    data = parse_param(cell, "cell").data
    assert data["neuron"]["cell_modify_functions"] == {"scale_apical_morph_86": {}}
    assert len(parse_param(network, "network").data["network"]) == 278
