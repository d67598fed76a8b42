from __future__ import annotations

import io

from mmpmg.engine.image_generation.progress import Progress, clock_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left_are_of_this_run():
    clock, out = Clock(), io.StringIO()
    progress = Progress(total=1000, done=500, out=out, clock=clock)
    for _ in range(32):  # eight a second
        clock.now += 0.125
        progress.add()
    progress.say()
    assert out.getvalue().splitlines()[-1].split("  ") == [
        "", " 53.2%", "532 of 1000 images", "8.0/s", "0:58 left",
    ]  # fmt: skip


def test_a_log_does_not_grow_for_days():
    clock, out = Clock(), io.StringIO()
    progress = Progress(total=10**9, out=out, clock=clock)
    for _ in range(10 * 3600):
        clock.now += 0.1
        progress.add()
    lines = out.getvalue().splitlines()
    assert 50 < len(lines) < 90  # of 36,000 images in an hour
    assert "\r" not in out.getvalue()


def test_a_terminal_has_one_line():
    clock, out = Clock(), Terminal()
    progress = Progress(total=4, out=out, clock=clock)
    for _ in range(4):
        clock.now += 1
        progress.add()
    progress.finish()
    assert out.getvalue().count("\n") == 1 and out.getvalue().endswith("\n")
    shown = [text.removesuffix("\033[K") for text in out.getvalue().strip().split("\r")]
    assert shown[1].startswith("[###############...............]  50.0%  2 of 4 images  1.0/s")
    assert shown[1].endswith("0:02 left")
    assert shown[-1].startswith("[" + "#" * 30 + "] 100.0%")


def test_nothing_to_do_is_no_error():
    out = io.StringIO()
    Progress(total=5, done=5, out=out, clock=Clock()).finish()
    assert "100.0%  5 of 5" in out.getvalue()


def test_durations():
    assert clock_text(59.9) == "0:59"
    assert clock_text(3600 * 30 + 61) == "30:01:01"
