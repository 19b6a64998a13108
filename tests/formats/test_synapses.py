"""Reading `.syn` and `.con`: the fast reader says what a plain line-by-line reading says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.formats.isf.embedding import Embedded, embed, parse_connections, parse_synapses
from isfray.model.inputs import InputFile

TYPES = st.sampled_from(["VPM_C2", "INH", "L5tt_D1"])
ROW = st.tuples(TYPES, st.integers(0, 999), st.floats(0, 1))
FILLER = st.sampled_from(["", "# a comment\t3\t0.5", "   "])


@given(st.lists(ROW | FILLER, max_size=40), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_synapse_counts_within_its_type_in_file_order(lines: list, end: str, pruned_column: bool):
    rows = [line for line in lines if not isinstance(line, str)]
    tail = "\t1" if pruned_column else ""
    text = end.join(line if isinstance(line, str) else "\t".join(map(str, line)) + tail for line in lines)
    parsed = parse_synapses(InputFile("cell.syn", text.encode()))
    for name in ("VPM_C2", "INH", "L5tt_D1", "ABSENT"):
        at = parsed.of(name)
        assert parsed.first[at].tolist() == [section for kind, section, _ in rows if kind == name]
        assert parsed.second[at].tolist() == [x for kind, _, x in rows if kind == name]
    assert [lines[n - 1] for n in parsed.line] == rows


@given(st.dictionaries(TYPES, st.permutations(range(7)), min_size=1), st.randoms())
def test_connections_of_a_population_keep_their_file_order(wiring: dict[str, list[int]], random):
    rows = [(name, synapse % 3, synapse) for name, order in wiring.items() for synapse in order]
    mixed = sorted(rows, key=lambda _: random.random())
    syn = "\n".join(f"{name}\t{synapse}\t0.5" for name, synapse in sorted((r[0], r[2]) for r in rows))
    con = "\n".join("\t".join(map(str, row)) for row in mixed)
    synapses = parse_synapses(InputFile("cell.syn", syn.encode()))
    connections = parse_connections(InputFile("cell.con", con.encode()))
    names = list(wiring)
    placed, wired = embed([Embedded(name, 3, synapses, connections) for name in names])
    for p, name in enumerate(names):
        lo, hi = wired.offsets[p : p + 2]
        expected = [row[1:] for row in mixed if row[0] == name]
        local = wired.synapse[lo:hi] - placed.offsets[p]
        assert list(zip(wired.cell_id[lo:hi].tolist(), local.tolist(), strict=True)) == expected
        assert (placed.section_id[wired.synapse[lo:hi]] == local).all()
        assert (wired.population[lo:hi] == p).all()
        assert (placed.population[wired.synapse[lo:hi]] == p).all()


def test_the_arrays_of_a_model_cannot_be_changed():
    rows = parse_synapses(InputFile("cell.syn", b"INH\t3\t0.5\n"))
    synapses, _ = embed([Embedded("INH", 1, rows, parse_connections(InputFile("cell.con", b"")))])
    with pytest.raises(ValueError, match="read-only"):
        synapses.x[0] = 1.0
    assert synapses.section_id.dtype == np.int32


@given(st.integers(0, 30), st.text(alphabet="0123456789.-exz", min_size=1, max_size=6))
def test_only_numbers_within_their_range_are_read(before: int, token: str):
    text = "INH\t1\t0.5\n" * before + f"INH\t{token}\t0.5\n"
    try:
        good = 0 <= int(token) < 2**31
    except ValueError:
        good = False
    file = InputFile("cell.syn", text.encode())
    if good:
        assert parse_synapses(file).first[-1] == int(token)
    else:
        with pytest.raises(InputError) as caught:
            parse_synapses(file)
        assert caught.value.line == before + 1
