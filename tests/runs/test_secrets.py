"""Secrets are shown and kept nowhere, whichever way they are given."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from isfray.catalog import Catalog
from isfray.catalog.provenance import command_line
from isfray.cli import main
from isfray.errors import InputError, redacted
from tests.catalog import s3_server
from tests.catalog.s3_server import BUCKET, S3Server
from tests.runs.waiting import ROOT

KEY, SECRET = "AKIAQUITESECRET", "w1/Xq+hidden/SECRET9"
BY_OPTION, BY_COMMAND, BY_VARIABLE = SECRET, "commandSECRET77", "variableSECRET55"
ALL = (SECRET, BY_COMMAND, BY_VARIABLE)
URIS = [
    f"s3://{KEY}:{SECRET}@bucket/results",
    f"s3://{KEY}:{SECRET}@bucket",
    f"http://{KEY}:{SECRET}@127.0.0.1:9/results",
    f"sftp://me:{SECRET}@host/results",
    f"simplecache::s3://{KEY}:{SECRET}@bucket/results",
    f"az://container/results?sv=1&sig={SECRET}",
    f"https://host/results?X-Amz-Credential=a&X-Amz-Signature={SECRET}",
]
"""Places with secrets in them."""
RUN = """
import sys
import isfray
from isfray.catalog import Catalog
from isfray.catalog.provenance import provenance
from isfray.runs.run import run_trials
from tests.runs.null_engine import NullEngine, spec
import dataclasses, json, ray
uri, options = sys.argv[1], json.loads(sys.stdin.read())
asked = dataclasses.replace(spec("run", 12), provenance=provenance())
catalog = Catalog(uri, options)
from isfray.runs import session
session.join(2)
print(ray._private.worker._global_node.get_session_dir_path())
handle = run_trials(asked, catalog, NullEngine(rows=20), t_stop=300.0, workers=1, progress="json")
print(handle, repr(handle), handle._repr_html_(), catalog, repr(catalog), catalog._repr_html_(), catalog.info("run"))
print(catalog.scan("trials").explain())
try:
    Catalog("s3://no-such-bucket-here/x", options).open_run(asked)
except isfray.InputError as error:
    print(error, error.args, vars(error))
session.leave()
"""


def told(error: InputError) -> str:
    """Everything that can be had of an error."""
    again = pickle.loads(pickle.dumps(error))
    shown = [str(error), repr(error), repr(error.args), repr(vars(error)), repr(vars(again)), str(again)]
    return "\n".join([*shown, *traceback.format_exception(error), pickle.dumps(error).decode("latin-1")])


@pytest.mark.parametrize("uri", URIS)
def test_a_place_with_a_secret_in_it_is_refused_without_telling_it(uri, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for options in (None, {"secret": SECRET}):
        with pytest.raises(InputError, match=r"catalog = .* holds a secret") as raised:
            Catalog(uri, options)
        assert SECRET not in told(raised.value)
    (tmp_path / "run.toml").write_text(f'catalog = "{uri}"\nrun = "x"\n')
    commands = [
        *(["info", uri], ["verify", uri, "x"], ["compact", uri, "x"], ["delete", uri, "x"], ["resume", uri, "x"]),
        *(
            ["export", uri, "x", "out"],
            ["plot", "psth", uri, "x", "--out", "x.png"],
            ["report", uri, "x", "--out", "r.html"],
        ),
        *(
            ["animate", "2d", uri, "x", "--out", "x.mp4"],
            ["run-config", "run.toml", "--catalog", uri],
            [uri],
            ["info", "a", uri, uri],
        ),
        ["import", str(tmp_path), "--catalog", uri, "--run", "x"],
    ]
    for command in commands:
        assert main(command) == 2
        out, error = capsys.readouterr()
        assert SECRET not in out + error
        assert len(error.splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["run.toml"]


def test_options_given_with_a_folder_are_named_and_not_told(tmp_path):
    with pytest.raises(InputError, match=r"takes no storage options \(key, secret\); expected none") as raised:
        Catalog(tmp_path / "c", {"key": KEY, "secret": SECRET})
    assert SECRET not in told(raised.value)
    assert KEY not in told(raised.value)


@pytest.mark.parametrize(
    "given", [{"secret": SECRET}, [f"s3://a:{SECRET}@b"], Path(f"s3://a:{SECRET}@b"), {"a": {"token": SECRET}}]
)
def test_no_value_of_an_error_holds_a_secret(given):
    where = f"s3://a:{SECRET}@b/c"
    error = InputError(f"cannot be read ({where})", file=where, key="uri", value=given, expected=f"not {where}")
    shown = told(error) if not isinstance(given, Path) else str(error.file) + str(error.problem)
    assert SECRET not in shown


def test_what_only_looks_like_a_secret_stays():
    for word in ("s3://bucket/a@b:c", "http://localhost:9000/a@b", "a:b@c", "abfs://results@account.host/x", "x?run=3"):
        assert redacted(word) == word


def test_a_command_is_kept_without_its_secrets():
    words = ["run", "--token", BY_COMMAND, "--secret=" + BY_COMMAND, f"s3://a:{SECRET}@b/c", "--seed", "7", BY_VARIABLE]
    kept = command_line(words, {"MY_API_TOKEN": BY_VARIABLE, "HOME": "run", "AWS_SECRET_ACCESS_KEY": ""})
    assert kept == ["run", "--token", "***", "--secret=***", "s3://***@b/c", "--seed", "7", "***"]


def test_a_run_on_s3_leaves_its_secrets_in_no_object_log_line_or_answer(weed, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_server, "KEY", KEY)
    monkeypatch.setattr(s3_server, "SECRET", SECRET)
    server = S3Server(tmp_path / "weed").start()
    try:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "AWS_"))}
        command = [sys.executable, "-c", RUN, f"s3://{BUCKET}/results", "--token", BY_COMMAND, BY_VARIABLE]
        done = subprocess.run(
            command,
            input=json.dumps(server.options),
            env={**inherited, "PYTHONPATH": str(ROOT), "MY_API_TOKEN": BY_VARIABLE},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        logs = Path(done.stdout.splitlines()[0]) / "logs"
        catalog = Catalog(f"s3://{BUCKET}/results", server.options)
        objects = catalog.storage.read_many(catalog.storage.listing(""))
        assert len(objects) >= 5
        assert catalog.info("run").provenance["command_line"][2:] == ["--token", "***", "***"]
        logged = {str(path): path.read_bytes() for path in logs.rglob("*") if path.is_file()}
        assert logged
        everything = {"stdout": done.stdout.encode(), "stderr": done.stderr.encode(), **objects, **logged}
        for where, content in everything.items():
            for secret in ALL:
                assert secret.encode() not in content, where
    finally:
        server.kill()
