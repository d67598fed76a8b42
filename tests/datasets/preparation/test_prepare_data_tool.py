"""tools/prepare_data.py as a user types it."""

import os
import runpy
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def type_in(monkeypatch, capsys, tmp_path):
    """Run the tool in this process; return exit status, standard output and errors."""

    def type_in(*words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["prepare_data.py", *words])
        status = 0
        try:
            runpy.run_path(str(ROOT / "tools/prepare_data.py"), run_name="__main__")
        except SystemExit as error:
            status = error.code
        return status, *capsys.readouterr()

    return type_in


def test_from_clips_to_few_shot(tmp_path, put, type_in):
    classes = [f"{verb}_leg_{k}" for verb in ("attach", "detach") for k in (1, 2, 3, 4)]
    classes += ["flip_over", "pick_leg", "spin_in", "spin_out"]
    clips = [f"{c}/GOPR0020_0000{k}_00294_{p}.avi" for c in classes for p, k in
             (("05", 1), ("05", 2), ("09", 3))]  # fmt: skip
    put(tmp_path / "data/ikeafa/videos", clips)
    status, out, err = type_in("ikeafa", "--workers", "2")
    assert status == 0, err
    assert "100.0%  36 of 36 videos" in out
    assert "data/ikeafa/ikeafa_train_videos.txt: 24 lines" in out
    source = "data/ikeafa/ikeafa_train_videos.txt"
    status, out, err = type_in("subset", source, "--shots", "1", "3", "--seed", "5")
    assert status == 1
    assert err.startswith("error: class 0 (attach_leg_1) has 2 videos, 3 are asked for\n")
    status, out, err = type_in("subset", source, "--shots", "1", "2", "--seed", "5")
    assert status == 0, err
    lines = (tmp_path / "data/ikeafa/few_shot/1-shot_seed5.txt").read_text().splitlines()
    assert [line.split()[1] for line in lines] == [str(k) for k in range(12)]


def test_defaults_are_the_folders_of_the_recipes(type_in):
    for name, folder in (("ucf101", "ucf101"), ("ssv2", "ssv2"), ("ssv2-mini", "ssv2_mini")):
        more = ["--classes", "mini.txt"] if name == "ssv2-mini" else []
        status, _, err = type_in(name, *more)
        assert status == 1
        assert err.startswith(f"error: data/{folder}/videos is no folder: put or link")


def test_sigterm_stops_as_ctrl_c_does(tmp_path, put, type_in, monkeypatch):
    from mmpmg.datasets import preparation

    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("not as Ctrl-C"))
    monkeypatch.setattr(preparation, "prepare", lambda *_, **__: os.kill(os.getpid(), 15))
    try:
        status, _, err = type_in("ucf101")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (status, heard) == (130, []) and err.startswith("stopped;")
