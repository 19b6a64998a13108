"""Stores in trouble and mistakes in reaching them: bounded patience, then one clear line, and nothing lost."""

from __future__ import annotations

import json
import pickle
import random
import shutil
import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isfray.catalog import Catalog
from isfray.catalog.location import open_storage
from isfray.catalog.log import by_table
from isfray.errors import InputError
from tests.catalog.faulty_proxy import LASTING, FaultyProxy, Plan
from tests.catalog.s3_server import BUCKET
from tests.catalog.synthetic import batch, spec
from tests.catalog.test_catalog import RUN, assert_holds
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]


def place() -> str:
    return f"s3://{BUCKET}/{uuid.uuid4()}/r"


def some(share: float, kinds: tuple[str, ...], seed: int = 1) -> Plan:
    """Trouble for a share of all requests."""
    chance = random.Random(seed)
    return lambda number, method, path: chance.choice(kinds) if chance.random() < share else "pass"


@pytest.mark.parametrize("kinds", [("500", "503"), ("reset", "lost")])
def test_passing_trouble_is_not_noticed(s3_server, kinds):
    where = place()
    with FaultyProxy(s3_server.endpoint, some(0.15, kinds)) as proxy:
        catalog = Catalog(where, {**s3_server.options, "endpoint_url": proxy.endpoint})
        session = catalog.open_run(spec())
        for first in range(0, 8, 2):
            catalog.commit(RUN, batch([first, first + 1]))
        catalog.compact(RUN)
        catalog.close_run(RUN, session)
        assert_holds(catalog, range(8))  # which Polars reads
    assert len(proxy.met) > 5
    sound = Catalog(where, s3_server.options)
    assert_holds(sound, range(8))
    assert sound.verify(RUN).problems == ()
    assert len(sound.info(RUN).sessions) == 1


def test_a_commit_whose_answer_was_lost_counts_once(s3_server):
    where = place()
    lost: list[str] = []

    def plan(number: int, method: str, path: str) -> str:
        if method == "PUT" and "/commits/" in path and path not in lost:
            lost.append(path)
            return "lost"
        return "pass"

    with FaultyProxy(s3_server.endpoint, plan) as proxy:
        catalog = Catalog(where, {**s3_server.options, "endpoint_url": proxy.endpoint})
        catalog.open_run(spec())
        for first in range(0, 6, 2):
            assert catalog.commit(RUN, batch([first, first + 1])).trials.tolist() == [first, first + 1]
    assert len(lost) == 3
    sound = Catalog(where, s3_server.options)
    assert_holds(sound, range(6))
    assert len(sound.snapshot(RUN).commits[RUN]) == 3


def test_lasting_trouble_is_one_clear_line_and_the_run_goes_on_later(s3_server):
    where = place()
    down = False
    with FaultyProxy(s3_server.endpoint, lambda *_: "503" if down else "pass") as proxy:
        catalog = Catalog(where, {**s3_server.options, "endpoint_url": proxy.endpoint})
        catalog.open_run(spec())
        catalog.commit(RUN, batch([0, 1]))
        down = True
        before = proxy.count
        with pytest.raises(InputError, match=r"^s3://isfray/.* cannot be (read|written|listed) \(.*\); expected") as e:
            catalog.commit(RUN, batch([2, 3]))
        assert "\n" not in str(e.value)
        assert 4 <= proxy.count - before < 100
        down = False
        catalog.commit(RUN, batch([2, 3]))
    assert_holds(Catalog(where, s3_server.options), range(4))


@pytest.mark.parametrize("code", LASTING)
def test_trouble_that_does_not_pass_is_told_at_once_in_the_words_of_s3(s3_server, code):
    message = LASTING[code][1]
    refused = False
    with FaultyProxy(s3_server.endpoint, lambda *_: code if refused else "pass") as proxy:
        catalog = Catalog(place(), {**s3_server.options, "endpoint_url": proxy.endpoint})
        catalog.open_run(spec())
        catalog.commit(RUN, batch([0, 1]))
        storage, keys = catalog.storage, [f"runs/{n}" for n in range(50)]
        asks: dict[str, Any] = {
            "read": lambda: storage.read("runs/x"),
            "listed": lambda: storage.listing("trials/"),
            "written": lambda: storage.put("x", b"1"),
            "deleted": lambda: storage.delete(["x"]),
        }
        if code == "NoSuchBucket":  # nothing is there to be read: told where a run is looked for
            asks = {"written": asks["written"]}
        refused = True
        for doing, ask in asks.items():
            before = proxy.count
            with pytest.raises(InputError, match=rf"cannot be {doing} \({code}: {message}.*\); expected") as caught:
                ask()
            assert not caught.value.passing
            assert "secret" not in str(caught.value)
            most = 3 if code == "AuthorizationHeaderMalformed" else 1  # the client looks for the right region
            assert 1 <= proxy.count - before <= most
        before = proxy.count
        if code != "NoSuchBucket":
            with pytest.raises(InputError, match=code):
                storage.read_many(keys)
            assert proxy.count - before < 50, "what was not asked yet is not asked any more"
        with pytest.raises(InputError, match="no such bucket" if code == "NoSuchBucket" else f"{code}: {message}"):
            catalog.commit(RUN, batch([2, 3]))
        refused = False
        assert catalog.commit(RUN, batch([2, 3])).trials.tolist() == [2, 3]


@pytest.mark.parametrize("kind", ["503", "reset"])
def test_trouble_that_may_pass_is_called_so(s3_server, kind, monkeypatch):
    monkeypatch.setattr("isfray.catalog.objects._PAUSES", (0.01,))
    down = False
    with FaultyProxy(s3_server.endpoint, lambda *_: kind if down else "pass") as proxy:
        storage = open_storage(place(), {**s3_server.options, "endpoint_url": proxy.endpoint})
        down = True
        with pytest.raises(InputError) as caught:
            storage.put("x", b"1")
        assert caught.value.passing
        assert pickle.loads(pickle.dumps(caught.value)).passing, "on its way from the catalog actor to the driver"


def test_a_server_that_is_down_is_one_clear_line_naming_it(s3_server):
    options = {**s3_server.options, "endpoint_url": f"http://127.0.0.1:{free_ports(1)[0]}"}
    with pytest.raises(InputError, match=r"s3://isfray/.* cannot be read \(Could not connect to the endpoint URL"):
        Catalog(place(), options)


@pytest.mark.parametrize("wrong", [{"key": "key", "secret": "wrong"}, {"key": "nobody", "secret": "secret"}])
def test_wrong_credentials_are_one_clear_line_and_change_nothing(s3_server, wrong):
    where = place()
    with pytest.raises(
        InputError,
        match=r"cannot be read \((Signature|Invalid).*: The .*\); expected .*check its permissions or your cred",
    ):
        Catalog(where, {**s3_server.options, **wrong}).open_run(spec())
    assert open_storage(where, s3_server.options).empty()


def test_a_bucket_that_is_missing_is_not_made(s3_server):
    where = f"s3://bucket-{uuid.uuid4()}/r"
    catalog = Catalog(where, s3_server.options)
    assert not catalog.exists
    with pytest.raises(InputError, match=r"s3://bucket-.*: has no such bucket; expected a bucket that exists"):
        catalog.open_run(spec())
    assert not open_storage(where, s3_server.options).has_room


def test_a_bucket_name_that_cannot_be_is_one_clear_line(s3_server):
    with pytest.raises(InputError, match=r"s3://No_Bucket!/.*cannot be read \(Parameter validation failed"):
        Catalog("s3://No_Bucket!/r", s3_server.options)


FULL = """
import sys
from pathlib import Path
from isfray.catalog import Catalog
from isfray.errors import InputError
from tests.catalog.synthetic import batch, spec
from tests.catalog.test_catalog import RUN, assert_holds
folder = Path(sys.argv[1])
(folder / ".ballast").write_bytes(bytes(200_000))
catalog = Catalog(folder / "r")
catalog.open_run(spec())
try:
    for trial in range(1000):
        catalog.commit(RUN, batch([trial]))
except InputError as error:
    print(error)
there = catalog.committed_trials(RUN).tolist()
assert 0 < len(there) < 1000
assert_holds(Catalog(folder / "r"), there)
assert catalog.verify(RUN).problems == ()
(folder / ".ballast").unlink()
catalog.commit(RUN, batch(range(trial - 1, trial + 3)))
assert_holds(Catalog(folder / "r"), [*there, *range(trial, trial + 3)])
assert catalog.verify(RUN, repair=True, grace_s=0).leftovers == ()
"""


def test_a_full_disk_is_one_clear_line_and_the_run_goes_on_when_there_is_space(tmp_path):
    mount = f"mount -t tmpfs -o size=1m tmpfs {tmp_path} && exec {sys.executable} -c '{FULL}' {tmp_path}"
    enter = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*enter, f"mount -t tmpfs x {tmp_path}"], capture_output=True).returncode
    ):
        pytest.skip("a small file system can be mounted only where user namespaces are allowed")
    done = subprocess.run([*enter, mount], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "cannot be written (No space left on device); expected" in done.stdout


def test_a_run_of_a_newer_version_is_refused_by_name(opened):
    catalog = opened()
    body = json.loads(catalog.storage.read(f"runs/{RUN}/run.json"))
    catalog.storage.put(f"runs/{RUN}/run.json", json.dumps({**body, "version": 99}).encode())
    for act in (catalog.info, catalog.load_inputs, lambda run: catalog.commit(run, batch([0]))):
        with pytest.raises(InputError, match=r"run\.json: version = 99 was written by a newer isfray"):
            act(RUN)
    with pytest.raises(InputError, match="newer isfray"):
        catalog.open_run(spec())


def test_a_cut_off_file_is_an_error_never_fewer_rows(opened):
    catalog = opened()
    catalog.commit(RUN, batch(range(4)))
    path = by_table(catalog.snapshot(RUN).commits[RUN])["synapse_activation"][0].path
    whole = catalog.storage.read(path)
    catalog.storage.put(path, whole[: len(whole) // 2])
    with pytest.raises(pl.exceptions.ComputeError):
        catalog.scan("synapse_activation", run=RUN).collect()
    with pytest.raises(InputError, match="not a whole Parquet file"):
        opened().commit(RUN, batch([5])) and opened().compact(RUN)
    assert len(catalog.scan("trials", run=RUN).collect()) == 5


def test_a_profile_reaches_the_store_for_writing_and_for_reading(s3_server, tmp_path, monkeypatch):
    for name in list(s3_server.environment):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text(f"[profile lab]\nregion = eu-west-9\nendpoint_url = {s3_server.endpoint}\n")
    (tmp_path / "credentials").write_text("[lab]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    write_and_read({"profile": "lab"})
    monkeypatch.setenv("AWS_PROFILE", "lab")
    write_and_read(None)


def test_the_role_of_the_machine_reaches_the_store_for_writing_and_for_reading(s3_server, monkeypatch):
    for name in list(s3_server.environment):
        monkeypatch.delenv(name, raising=False)
    asked = []

    class Role(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            soon = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
            body = {"AccessKeyId": "key", "SecretAccessKey": "secret", "Token": "", "Expiration": soon}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Role) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_port}/role")
        write_and_read({"endpoint_url": s3_server.endpoint, "client_kwargs": {"region_name": "eu"}})
        server.shutdown()
    assert asked


def write_and_read(options: dict[str, Any] | None) -> None:
    catalog = Catalog(place(), options)
    catalog.open_run(spec())
    catalog.commit(RUN, batch(range(3)))
    assert_holds(catalog, range(3))
