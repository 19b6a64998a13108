"""`isfray plot` and `isfray export --to nwb`; test_report.py has `isfray report`."""

from __future__ import annotations

import pytest

from isfray.cli import main


@pytest.mark.parametrize(
    "arguments",
    [
        ["psth", "replays", "replays", "--bin-size", "10", "--t-min", "200"],
        ["raster", "replays", "--of", "cells", "--trial", "1", "--theme", "dark"],
        ["activations", "replays", "--celltype", "VPM"],
    ],
)
def test_plot_draws_a_figure(golden, tmp_path, arguments):
    kind, *rest = arguments
    names = [name for name in rest if name == "replays"]
    out = tmp_path / "figure.png"
    options = rest[len(names) :]
    assert main(["plot", kind, golden.uri, *names, "--out", str(out), *options]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plot", "pie", "URI", "replays", "--out", "x.png"], "KIND = 'pie' is no figure; expected one of psth"),
        (["plot", "psth", "URI", "replays", "--out", "x.png", "--trial", "1"], "--trial is no option of psth"),
        (["plot", "voltage", "URI", "replays", "replays", "--out", "x.png"], "KIND = 'voltage' shows one run"),
        (["plot", "psth", "URI", "other", "--out", "x.png"], "run = 'other' is not in the catalog"),
        (["plot", "psth", "nowhere", "replays", "--out", "x.png"], "is no catalog"),
        (["report", "URI", "replays", "--out", "x.pdf"], "path = 'x.pdf' is no page"),
    ],
)
def test_a_mistake_ends_with_status_2_and_one_line(golden, capsys, arguments, told):
    assert main([golden.uri if a == "URI" else a for a in arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_export_writes_nwb(golden, tmp_path, capsys):
    assert main(["export", golden.uri, "replays", str(tmp_path / "new"), "--to", "nwb"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'new' / 'replays.nwb'}\n"
    assert (tmp_path / "new" / "replays.nwb").read_bytes().startswith(b"\x89HDF")
