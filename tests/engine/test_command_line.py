"""On a command line our own sentences stand alone; every other exception keeps its traceback."""

import argparse
import errno
import os
import threading
import time
from datetime import timedelta

import pytest
import torch
from torch import distributed
from torch.utils.data import DataLoader, Dataset

from mmpmg.engine import command_line
from mmpmg.engine.command_line import own_sentence, run_command
from mmpmg.engine.launch import recipe_file
from mmpmg.models.maskers import TubeMasker
from mmpmg.models.targets import TokenTarget
from mmpmg.models.tokens import token_grid, unpatchify
from mmpmg.models.weight_files import write_weights


def caught(run, *arguments):
    try:
        run(*arguments)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def chained():
    try:
        int("x")
    except ValueError:
        TubeMasker(2.0)


def raises_key():
    raise KeyError("said by 'a test'")


def slips():
    raise ValueError(f"said by {argparse.nobody}")


def hands_on(error):
    raise error


def answers(cause):
    raise ValueError("the list is empty: it has no rows") from cause


@pytest.mark.parametrize(
    ("run", "arguments", "words"),
    [
        (TubeMasker, (2.0,), "mask_ratio 2.0 is outside (0, 1)"),
        (token_grid, ((15, 32, 32), (2, 16, 16)), "use 14 or 16"),
        (recipe_file, ("none.py",), "no recipe at none.py"),
        (chained, (), "mask_ratio 2.0 is outside (0, 1)"),
    ],
)
def test_what_we_raise_is_told(run, arguments, words):
    error = caught(run, *arguments)
    assert own_sentence(error) == str(error)
    assert words in str(error)


@pytest.mark.parametrize(
    ("run", "arguments"),
    [
        (int, ("x",)),
        (raises_key, ()),
        # In our own lines, but by what they call.
        (unpatchify, (torch.zeros(1, 3, 8), (2, 1, 1), (2, 2, 2))),
        (TokenTarget((2, 8, 8), False, 1e-6).field, (None,)),  # a method left out
    ],
    ids=["python", "elsewhere", "torch", "not implemented"],
)
def test_what_others_raise_is_left_to_its_traceback(run, arguments):
    error = caught(run, *arguments)
    assert own_sentence(error) is None
    with pytest.raises(type(error)):
        run_command(lambda options: run(*arguments), argparse.Namespace(launcher="none"))


def test_a_key_error_of_ours_has_no_quotes(monkeypatch):
    monkeypatch.setattr(command_line, "PACKAGE", command_line.Path(__file__).resolve().parent)
    assert own_sentence(caught(raises_key)) == "said by 'a test'"


@pytest.mark.parametrize(
    ("run", "arguments"),
    [(slips, ()), (hands_on, (IndexError("list index out of range"),))],
    ids=["in the message of a raise", "of another process"],
)
@pytest.mark.parametrize("workers", [0, 1])
def test_a_slip_of_code_is_no_sentence(run, arguments, workers, monkeypatch):
    monkeypatch.setattr(command_line, "PACKAGE", command_line.Path(__file__).resolve().parent)
    loader = DataLoader(Failing(run, *arguments), num_workers=workers)
    assert own_sentence(caught(next, iter(loader))) is None
    loader = DataLoader(Failing(hands_on, OSError("said")), num_workers=workers)
    assert own_sentence(caught(next, iter(loader))) == "said"


@pytest.mark.parametrize(
    ("cause", "more"),
    [(KeyError("rows"), True), (ValueError("no rows"), False), (None, False)],
)
def test_a_cause_that_the_line_leaves_out_is_one_variable_away(cause, more, monkeypatch):
    monkeypatch.setattr(command_line, "PACKAGE", command_line.Path(__file__).resolve().parent)
    options = argparse.Namespace(launcher="none")
    with pytest.raises(SystemExit) as end:
        run_command(lambda options: answers(cause), options)
    told = " (the whole traceback: MMPMG_TRACEBACK=1)" if more else ""
    assert end.value.code == f"error: the list is empty: it has no rows{told}"
    monkeypatch.setenv("MMPMG_TRACEBACK", "1")
    with pytest.raises(ValueError, match="no rows"):
        run_command(lambda options: answers(cause), options)


class Failing(Dataset):
    def __init__(self, run, *arguments):
        self.run, self.arguments = run, arguments

    def __len__(self):
        return 1

    def __getitem__(self, index):
        self.run(*self.arguments)


def test_what_a_data_worker_raises_is_told_as_if_it_were_here():
    error = caught(next, iter(DataLoader(Failing(token_grid, (15, 32, 32), (2, 16, 16)),
                                         num_workers=1)))  # fmt: skip
    assert "Traceback" in str(error)
    sentence = str(caught(token_grid, (15, 32, 32), (2, 16, 16)))
    assert own_sentence(error) == sentence
    assert own_sentence(caught(next, iter(DataLoader(Failing(chained), num_workers=1)))).startswith(
        "mask_ratio 2.0"
    )
    assert own_sentence(caught(next, iter(DataLoader(Failing(int, "x"), num_workers=1)))) is None


def refuse(options):
    TubeMasker(2.0)


SENTENCE = "mask_ratio 2.0 is outside"


def ended(launcher):
    with pytest.raises(SystemExit) as end:
        run_command(refuse, argparse.Namespace(launcher=launcher))
    return end.value.code


def test_one_process_ends_with_a_line_whatever_its_environment_says(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert ended("none").startswith(f"error: {SENTENCE}")


@pytest.mark.parametrize("launcher", command_line.RANKS)
@pytest.mark.parametrize(("local", "rank", "told"), [
    ("0", "0", "error: mask_ratio"), ("1", "1", None), ("0", "8", "error: rank 8: mask_ratio"),
])  # fmt: skip
def test_before_the_processes_meet_one_of_each_machine_tells(
    launcher, local, rank, told, monkeypatch
):
    monkeypatch.setattr(distributed, "is_initialized", lambda: False)
    for name, value in zip(command_line.RANKS[launcher], (local, rank), strict=True):
        monkeypatch.setenv(name, value)
    code = ended(launcher)
    assert code == 1 if told is None else code.startswith(told)


@pytest.fixture
def ranks(monkeypatch):
    """Threads that take each other for processes of one group."""
    store, own = distributed.HashStore(), threading.local()
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_rank", lambda: own.rank)
    monkeypatch.setattr(distributed.distributed_c10d, "_get_default_store", lambda: store)
    monkeypatch.setattr(command_line, "PATIENCE", timedelta(seconds=1))

    def run(*delays):
        codes = {}

        def process(rank, delay):
            own.rank = rank
            time.sleep(delay)
            codes[rank] = ended("pytorch")

        threads = [
            threading.Thread(target=process, args=(rank, delay))
            for rank, delay in enumerate(delays)
            if delay is not None
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return codes

    return run


def test_what_all_ranks_refuse_is_told_once(ranks):
    codes = ranks(0.2, 0.0, 0.4)
    assert codes[0].startswith(f"error: {SENTENCE}")
    assert codes[1] == codes[2] == 1


def test_what_one_rank_refuses_is_told_with_its_number(ranks):
    codes = ranks(None, None, 0.0)
    assert codes[2].startswith(f"error: rank 2: {SENTENCE}")


def refused_by_the_system(number, place, other=None):
    raise OSError(number, "said the system", str(place), None, other and str(other))


def test_what_the_system_says_of_a_file_is_a_line(tmp_path, monkeypatch):
    file = tmp_path / "taken"
    file.touch()
    (tmp_path / "folder.pth").mkdir()

    def told(run, *arguments):
        with pytest.raises(SystemExit) as end:
            run_command(lambda options: run(*arguments), None)
        line, mark, rest = end.value.code.partition(" (the whole traceback: MMPMG_TRACEBACK=1)")
        assert mark and not rest
        return line.removeprefix("error: ").replace(f"{tmp_path}/", "")

    wanted = "taken is a file, and a folder is wanted: name another place"
    state = {"a": torch.ones(1)}
    assert told(write_weights, file / "x" / "w.pth", state) == wanted
    assert told(file.mkdir) == wanted
    assert told((file / "x").read_text) == wanted
    assert told((tmp_path / "none.txt").read_text) == "there is no file or folder none.txt"
    is_folder = "folder.pth is a folder, and a file is wanted: name another place"
    assert told(write_weights, tmp_path / "folder.pth", state) == is_folder
    for number in (errno.EACCES, errno.EPERM, errno.EROFS):  # which root does not meet
        line = told(refused_by_the_system, number, tmp_path / "w.pth.12-0123abcd.part")
        assert line == "w.pth may not be read or written (said the system): name another place"
    assert told(refused_by_the_system, errno.ENAMETOOLONG, "taken") == "taken: said the system"
    monkeypatch.setenv("MMPMG_TRACEBACK", "1")
    with pytest.raises(FileExistsError):
        run_command(lambda options: file.mkdir(), None)


@pytest.mark.parametrize("arguments", [(errno.EIO, "/x"), (errno.EEXIST, "/no/such/place")])
def test_what_the_system_says_of_no_place_of_the_user_keeps_its_traceback(arguments):
    with pytest.raises(OSError, match="said the system"):
        run_command(lambda options: refused_by_the_system(*arguments), None)


def test_the_result_comes_back_also_where_there_is_no_output(monkeypatch):
    assert run_command(len, "four") == 4
    monkeypatch.setattr("sys.stdout", None)  # as of ``>&-``
    assert run_command(len, "four") == 4


@pytest.mark.parametrize("length", [1, 200_000])  # what a buffer keeps, and what it never had
@pytest.mark.parametrize("flush", [True, False])
def test_what_nobody_reads_any_more_ends_as_before_head(flush, length, monkeypatch):
    read, write = os.pipe()
    with open(write, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        os.close(read)
        with pytest.raises(SystemExit) as end:
            run_command(lambda text: print(text, flush=flush), "a" * length)
        assert end.value.code == 141
        print("what Python says at its end", flush=True)


def test_another_pipe_that_breaks_keeps_its_traceback():
    with pytest.raises(BrokenPipeError):
        run_command(lambda options: refused_by_the_system(errno.EPIPE, "worker"), None)
