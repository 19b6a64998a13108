from __future__ import annotations

import io
import json
import logging
import re
from dataclasses import replace

from isfray.runs.progress import Bar, Lines, Progress, Records, Silent, reporter

START = Progress("stim_C2", 100, 20, 20, 0, 0, 0, 0, 0, 0, 0.0)
MIDDLE = replace(
    START, done=50, running=2, unwritten=10, retried=1, failed=2, workers=2, bytes_written=3_400_000, seconds=20.0
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_rate_counts_what_this_call_simulated_and_the_time_left_follows_from_it():
    assert MIDDLE.rate == (50 + 10 - 20) / 20.0
    assert MIDDLE.left == 100 - 50 - 10 - 2
    assert MIDDLE.seconds_left == 38 / 2.0
    assert START.seconds_left is None


def test_a_line_says_what_is_done_running_to_write_retried_failed_and_left():
    assert str(MIDDLE) == (
        "stim_C2: 50/100 trials (50%), 2.00/s in 0:20, 0:19 left, "
        "2 running, 10 to write, 1 retried, 2 failed, 3.4 MB written"
    )
    assert "waiting for a worker" in str(replace(MIDDLE, workers=0))


def test_a_log_file_gets_lines_at_a_bounded_rate_and_the_last_state():
    file = io.StringIO()
    lines = Lines(file, every=30.0)
    for second in range(100):
        lines.update(replace(MIDDLE, done=min(20 + second, 100), seconds=float(second)))
    lines.update(replace(MIDDLE, done=100, seconds=100.0))
    lines.close()
    shown = file.getvalue().splitlines()
    assert [re.search(r"(\d+)/100", line)[1] for line in shown] == ["20", "50", "80", "100", "100"]
    assert "\r" not in file.getvalue()


def test_a_terminal_gets_one_moving_line():
    file = Terminal()
    bar = reporter(True, file)
    assert isinstance(bar, Bar)
    bar.update(START)
    bar.update(MIDDLE)
    bar.close()
    text = file.getvalue()
    assert "stim_C2" in text
    assert "60/100" in text
    assert "2 running, 10 to write, 1 retried, 2 failed" in text
    assert "\r" in text


def test_a_file_that_is_no_terminal_gets_lines_and_nothing_is_shown_unasked():
    assert isinstance(reporter(True, io.StringIO()), Lines)
    assert isinstance(reporter(False, Terminal()), Silent)


def test_json_lines_tell_progress_and_what_happens_to_workers_and_end_with_the_run():
    file = io.StringIO()
    records = reporter("json", file)
    assert isinstance(records, Records)
    records.update(START)
    logging.getLogger("isfray.runs.dispatch.crew").info("%s is gone", "an actor")
    records.update(MIDDLE)
    records.close()
    logging.getLogger("isfray.runs.dispatch.crew").info("after the end")
    first, event, last = map(json.loads, file.getvalue().splitlines())
    assert (first["event"], first["done"], first["seconds_left"]) == ("progress", 20, None)
    assert (event["event"], event["level"], event["message"]) == ("log", "info", "an actor is gone")
    assert (last["done"], last["trials_per_second"], last["bytes_written"]) == (50, 2.0, 3_400_000)


def test_the_progress_of_a_sweep_is_the_sum_of_its_runs():
    both = Progress.of_all("s", [MIDDLE, replace(MIDDLE, done=40, seconds=20.0)])
    assert (both.run, both.total, both.done, both.before) == ("s", 200, 90, 40)
    assert (both.running, both.workers) == (2, 2), "the same actors"
    assert both.rate == (90 + 20 - 40) / 20.0
