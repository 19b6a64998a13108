"""Configuration files: what they ask for, and what is wrong with them, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from isfray.errors import InputError
from isfray.runs.config import read_config
from tests.model import small_cell

BASE = """
catalog = "results"
cell = "small.param"
network = "network.param"
run = "touch"
trials = 3
seed = 7
t_stop = 20.0
"""


@pytest.fixture
def config(tmp_path: Path, small_network, write_network) -> Callable[[str], Path]:
    """Writes a configuration beside a small cell and network."""
    small_cell.write(tmp_path)
    write_network(small_network)

    def write(more: str, base: str = BASE) -> Path:
        (tmp_path / "run.toml").write_text(base + more)
        return tmp_path / "run.toml"

    return write


def test_one_run_with_paths_relative_to_the_file(config):
    path = config('workers = 2\nclamp = [{section = "Soma", delay = 5, dur = 10, amp = 0.1}]')
    (call,) = read_config(path)
    assert call["catalog"] == str(path.parent / "results")
    assert (call["run"], call["trials"], call["seed"], call["t_stop"], call["workers"]) == ("touch", 3, 7, 20.0, 2)
    assert call["cell"].inputs.main.name == "small.param"
    assert [p.name for p in call["network"].populations] == ["VPM_C2", "INH"]
    assert call["clamp"][0]["amp"] == 0.1
    assert "variants" not in call


def test_variants_have_their_own_keys_and_share_the_models_they_do_not_change(config):
    (call,) = read_config(
        config("""
        [variants.control]
        [variants.no_VPM]
        edits = [{edit = "silence_populations", populations = ["VPM_C2"]}]
        [variants.bare]
        t_stop = 10.0
        trials = 1
        """)
    )
    variants = call["variants"]
    assert list(variants) == ["control", "no_VPM", "bare"]
    assert variants["control"]["network"] is variants["bare"]["network"] is call["network"]
    assert {id(variant["cell"]) for variant in variants.values()} == {id(call["cell"])}
    assert [p.name for p in variants["no_VPM"]["network"].populations] == ["INH"]
    assert (variants["bare"]["t_stop"], variants["bare"]["trials"]) == (10.0, 1)


def test_a_sweep_is_every_combination_by_a_name_that_tells_the_values(config):
    (call,) = read_config(
        config("""
        edits = [{edit = "scale_ongoing_rates", factor = 1.0}]
        [sweep]
        "edits.0.factor" = [0.5, 2]
        t_stop = [10.0, 20.0]
        """)
    )
    assert list(call["variants"]) == [
        "factor-0.5_t_stop-10.0", "factor-0.5_t_stop-20.0", "factor-2_t_stop-10.0", "factor-2_t_stop-20.0"
    ]  # fmt: skip
    slow, same, fast, _ = call["variants"].values()
    assert slow["network"] is same["network"]
    assert slow["network"] != fast["network"]
    assert (slow["t_stop"], same["t_stop"]) == (10.0, 20.0)


def test_the_configurations_of_the_documentation_are_read(tmp_path, config):
    config("")
    for name in ("86_C2_center.param", "other.param"):
        (tmp_path / name).write_bytes((tmp_path / "small.param").read_bytes())
    docs = (Path(__file__).resolve().parents[2] / "docs" / "cluster.md").read_text()
    base, variants, sweep = re.findall(r"```toml\n(.*?)```", docs, re.DOTALL)
    (call,) = read_config(config(variants, base))
    assert list(call["variants"]) == ["control", "no_VPM", "other_cell"]
    (call,) = read_config(config(sweep, base))
    assert next(iter(call["variants"])) == "factor-0.5_t_stop-300"
    assert len(call["variants"]) == 6


def test_several_runs_have_in_common_what_is_said_above_them(config):
    first, second = read_config(config('[[runs]]\nseed = 8\n[[runs]]\nrun = "other"\ntrials = 5'))
    assert (first["run"], first["seed"], first["trials"]) == ("touch", 8, 3)
    assert (second["run"], second["seed"], second["trials"]) == ("other", 7, 5)
    assert first["cell"] is second["cell"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("trials = ", r"run\.toml is not TOML|is not TOML"),
        ("trails = 3", "trails = 3 is not known; expected one of batch_seconds"),
        ("[variants.a]\nseed = 3", r"variants\.a\.seed = 3 is not known"),
        ("[variants]\na = 3", "variants = .* is no table of tables"),
        ("[sweep]\nt_stop = 3", "sweep = .* is no table of lists"),
        ("[sweep]\nt_stop = [1.0, 1.0]", "two combinations of one name"),
        ('[sweep]\n"edits.3.factor" = [1.0]', r"sweep\.edits\.3\.factor leads nowhere"),
        ("[sweep]\nsed = [1]", r"sweep\.sed = \[1\] is not known"),
        ("[sweep]\nt_stop = [1.0]\n[variants.a]", "sweep stands beside variants"),
        ('edits = [{edit = "scale_everything"}]', "edits = .* is no edit; expected edit = one of .*scale_evoked"),
        ('edits = [{edit = "scale_evoked"}]', r"edits\.scale_evoked .*missing a required argument: 'factor'"),
        ('edits = [{edit = "scale_evoked", factor = -1.0}]', "factor"),
        ("runs = 3", "runs is no list of tables"),
        ('[[runs]]\ncell = "nowhere.param"', r"nowhere\.param"),
        ("[[runs]]\nnetwork = 3", "network = 3 is no file name"),
    ],
)
def test_a_mistake_is_told_by_file_and_key(config, more, message):
    with pytest.raises(InputError, match=message) as caught:
        read_config(config(more))
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("key", ["catalog", "cell", "run", "trials"])
def test_a_missing_key_is_named(config, key):
    base = "".join(line + "\n" for line in BASE.splitlines() if not line.startswith(key))
    with pytest.raises(InputError, match=rf"run\.toml: {key} is missing"):
        read_config(config("", base))
