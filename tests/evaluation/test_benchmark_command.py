"""The command line of tools/benchmark.py: what is wrong is told at once, in one line."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "benchmark.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("benchmark_tool", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["stepp"], "stepp: no such part; there are render"),
        (["--repeats", "-1"], "--repeats -1: must be 0 or more (0: the default)"),
        (["--repeat", "3"], "unrecognized arguments: --repeat"),
        (["--threads", "-2"], "--threads -2: must be 0 or more"),
        (["--files", "0"], "--files 0: must be 1 or more"),
        (["--clip", "1", "8", "8"], "--clip 1 8 8: T must be 2 or more"),
        (["--mask-ratio", "1.5"], "--mask-ratio 1.5: must lie between 0 and 1"),
        (["--mask-ratio", "nan"], "--mask-ratio nan: must lie between 0 and 1"),
        (["--size", "tiny:16:16:1"], "--mask-ratio 0.75 masks none of the 1 places of --size"),
        (["--size", "giant:16:64:1"], "--size giant:16:64:1: is not ARCH:FRAMES:SIDE:BATCH"),
        (["--size", "tiny:16:²:1"], "--size tiny:16:²:1: is not ARCH:FRAMES:SIDE:BATCH"),
        (["--size", "tiny:15:111:1"], "FRAMES 15 must be a multiple of 2"),
        (["--size", "tiny:16:111:1"], "SIDE 111 must be a multiple of 16"),
        (["--size", "tiny:16:64:0"], "BATCH must be 1 or more"),
    ],
)
def test_wrong_options_end_with_one_line_that_names_them(tool, capsys, arguments, told):
    with pytest.raises(SystemExit) as caught:
        tool.parse_options(arguments)
    assert caught.value.code == 2
    assert told in capsys.readouterr().err.splitlines()[-1]


def test_nothing_is_loaded_before_the_options_are_checked():
    blocked = "import sys, runpy; sys.modules.update(torch=None, mmpmg=None); sys.argv[0] = 'b'; "
    code = f"{blocked}runpy.run_path({str(TOOL)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code, "--mask-ratio", "2"], capture_output=True, text=True
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "--mask-ratio 2: must lie between 0 and 1" in done.stderr


def test_what_the_tool_knows_is_what_the_package_says(tool):
    from mmpmg.evaluation import benchmark
    from mmpmg.evaluation.step_models import DECODERS

    assert list(tool.MINUTES) == list(benchmark.PARTS)
    assert (tool.GPU_PARTS, tool.SIZES) == (benchmark.GPU_PARTS, benchmark.SIZES)
    assert list(tool.ARCHS) == list(DECODERS)
    given = benchmark.BenchmarkOptions(**tool.parse_options([]))
    for name, value in vars(benchmark.BenchmarkOptions()).items():
        found = getattr(given, name)
        assert (tuple(found) if isinstance(found, (list, tuple)) else found) == value, name


def test_help_tells_the_minutes_of_every_part_and_the_default(tool):
    text = tool.make_parser().format_help()
    for name, minutes in tool.MINUTES.items():
        assert f"  {name:<11}{minutes}" in text
    assert "No part named: all of them" in text
