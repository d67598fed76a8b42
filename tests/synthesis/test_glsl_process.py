"""The drawing process: pictures, compiler messages, hangs, crashes, copies in other processes."""

from __future__ import annotations

import functools
import importlib.util
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from reference.glsl_samples import ALL, ENDLESS

from mmpmg.synthesis.glsl_process import GLSLError, GLSLProcess, GLSLUnavailableError
from mmpmg.synthesis.glsl_source import complete
from mmpmg.synthesis.glsl_uniforms import uniforms
from mmpmg.synthesis.glsl_worker import compiler_message

HEIGHT, WIDTH = 24, 40
MOMENT = uniforms(0, 0, 0, (HEIGHT, WIDTH), 60.0)
PLAIN = complete("o=vec4(FC.xy/r,.5,1);").text
# A worker without OpenGL, whose picture is its process number.
IMPOSTOR = """
import json, os, sys, time
out = sys.stdout
print(json.dumps({"renderer": "none"}), flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    what = ask["fragment"]
    if what == "hang": time.sleep(60)
    if what == "crash": os._exit(3)
    if what == "bad": print(json.dumps({"error": "1: no function with name 'foo'"}), flush=True)
    else:
        data = os.getpid().to_bytes(4, "little") * (ask["height"] * ask["width"] * 3 // 4)
        out.write(json.dumps({"bytes": len(data)}) + "\\n"); out.flush()
        out.buffer.write(data); out.buffer.flush()
"""


@functools.cache
def missing() -> str:
    """Return why nothing can be drawn here, or an empty text."""
    try:
        GLSLProcess().draw(PLAIN, 4, 4, MOMENT)
    except GLSLUnavailableError as error:
        return str(error)
    return ""


@pytest.fixture
def screen():
    if missing():
        pytest.skip(missing())
    process = GLSLProcess(time_limit=20)
    yield process
    process.close()


@pytest.fixture
def impostor():
    process = GLSLProcess(time_limit=0.5, command=[sys.executable, "-c", IMPOSTOR])
    yield process
    process.close()


def _identity(process: GLSLProcess) -> int:
    return int.from_bytes(process.draw("", 4, 4, {}).tobytes()[:4], "little")


def test_a_hang_or_a_crash_costs_one_picture(impostor):
    first = _identity(impostor)
    assert _identity(impostor) == first
    begun = time.monotonic()
    with pytest.raises(GLSLError, match=r"longer than 0\.5 s \(images\.time_limit\)"):
        impostor.draw("hang", 4, 4, {})
    assert time.monotonic() - begun < 5
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    second = _identity(impostor)
    assert second != first
    with pytest.raises(GLSLError, match="exit status 3"):
        impostor.draw("crash", 4, 4, {})
    assert _identity(impostor) != second


def test_a_bad_shader_leaves_the_process_alone(impostor):
    first = _identity(impostor)
    with pytest.raises(GLSLError, match="no function with name 'foo'"):
        impostor.draw("bad", 4, 4, {})
    assert _identity(impostor) == first


def test_copies_in_other_processes_start_their_own(impostor):
    first = _identity(impostor)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, _identity(impostor).to_bytes(4, "little"))
        impostor.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert int.from_bytes(os.read(reader, 4), "little") not in (0, first)
    assert _identity(impostor) == first
    copy = pickle.loads(pickle.dumps(impostor))
    assert _identity(copy) != first
    copy.close()


def test_closing_ends_the_process(impostor):
    first = _identity(impostor)
    impostor.close()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    impostor.close()


def _gone(process: int, limit: float = 10.0) -> bool:
    """Wait until a process that is not ours has ended, or waits to be reaped."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if not state or state.startswith("Z"):
            return True
        time.sleep(0.05)
    return False


# Draws in a hanging worker; says the worker's number before it hangs.
PARENT = """
import sys
from mmpmg.synthesis.glsl_process import GLSLProcess
process = GLSLProcess(time_limit=60, command=eval(sys.argv[1]))
process.draw(sys.argv[2], 4, 4, {})
print(process._process.pid, flush=True)
process.draw(sys.argv[3], 64, 64, {})
"""
# Joins its life to its parent's, as the real worker does, then is busy for good when asked to hang.
BOUND = """
import sys
from mmpmg.synthesis.glsl_worker import end_with
PRELUDE
end_with(int(sys.argv[1]))
""" + IMPOSTOR.replace("time.sleep(60)", "[None for _ in iter(int, 1)]")


def _worker_of_a_killed_parent(command: list[str] | None, plain: str, endless: str) -> int:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, repr(command), plain, endless],
        stdout=subprocess.PIPE, text=True,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
    )  # fmt: skip
    try:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.5)  # it hangs by now
        os.kill(worker, 0)
    finally:
        parent.kill()
        parent.wait()
    return worker


@pytest.mark.parametrize("prelude", ["", "sys.platform = 'elsewhere'"])
def test_a_hanging_process_ends_with_a_killed_parent(prelude):
    command = [sys.executable, "-c", BOUND.replace("PRELUDE", prelude)]
    worker = _worker_of_a_killed_parent(command, "", "hang")
    if not _gone(worker):
        os.kill(worker, signal.SIGKILL)
        pytest.fail("the drawing process outlived the process that started it")


def test_an_endless_shader_ends_with_a_killed_parent(screen):
    worker = _worker_of_a_killed_parent(None, PLAIN, complete(ENDLESS).text)
    if not _gone(worker):
        os.kill(worker, signal.SIGKILL)
        pytest.fail("the drawing process outlived the process that started it")


def test_a_process_whose_parent_is_gone_already_does_not_begin():
    code = BOUND.replace("PRELUDE", "")
    other = subprocess.run(
        [sys.executable, "-c", code, "1"], input="", capture_output=True, text=True, timeout=60,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)), check=False,
    )  # fmt: skip
    assert other.returncode == 1 and not other.stdout and not other.stderr


def test_a_process_that_ended_between_two_pictures_is_replaced(impostor):
    first = _identity(impostor)
    os.kill(first, signal.SIGKILL)
    impostor._process.wait()
    assert _identity(impostor) != first


def test_what_is_missing_is_named(monkeypatch):
    broken = GLSLProcess(command=[sys.executable, "-c", 'print(\'{"error": "no EGL"}\')'])
    with pytest.raises(GLSLUnavailableError, match=r"no EGL.*apt-get install libegl1"):
        broken.draw("", 4, 4, {})
    silent = GLSLProcess(command=[sys.executable, "-c", ""])
    with pytest.raises(GLSLUnavailableError, match="did not start"):
        silent.draw("", 4, 4, {})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GLSLUnavailableError, match=r'pip install "mmpmg\[glsl\]"'):
        GLSLProcess()
    with pytest.raises(ValueError, match=r"images\.time_limit=0"):
        GLSLProcess(time_limit=0)


def test_the_compilers_message_loses_its_frame():
    text = "GLSL Compiler failed\n\nfragment_shader\n===============\n1:3(7): error: no foo\n\n"
    assert compiler_message(RuntimeError(text)) == "1:3(7): error: no foo"
    assert compiler_message(RuntimeError()) == "RuntimeError"


@pytest.mark.parametrize(("dialect", "text"), ALL)
def test_every_dialect_is_drawn(screen, dialect, text):
    picture = screen.draw(complete(text).text, HEIGHT, WIDTH, MOMENT)
    assert picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8
    right = (np.arange(WIDTH) + 0.5) / WIDTH * 255
    up = (HEIGHT - 0.5 - np.arange(HEIGHT)) / HEIGHT * 255
    assert np.abs(picture[..., 0] - right).max() <= 1
    assert np.abs(picture[..., 1] - up[:, None]).max() <= 1


def test_uniforms_arrive(screen):
    values = {
        "iTime": 7.25, "iFrame": 200, "iMouse": [10.0, 20.0, 30.0, 40.0],
        "iResolution": [40.0, 24.0, 1.0], "iChannelTime": [1.0, 2.0, 3.0, 4.0],
        "iChannelResolution": [[256.0, 256.0, 1.0]] * 4,
    }  # fmt: skip
    text = """void mainImage(out vec4 c, in vec2 p) {
        c.r = iTime == 7.25 && iFrame == 200 ? 1. : 0.;
        c.g = iMouse == vec4(10, 20, 30, 40) && iResolution == vec3(40, 24, 1) ? 1. : 0.;
        c.b = iChannelTime[2] == 3. && iChannelResolution[3].x == 256. ? 1. : 0.; }"""
    picture = screen.draw(complete(text).text, 2, 2, values)
    np.testing.assert_array_equal(picture, np.full((2, 2, 3), 255, np.uint8))
    # twigl's own types, and what an author declared otherwise
    text = "uniform vec3 resolution; uniform int frame; void main() { gl_FragColor = vec4("
    text += "resolution.x == 40. && resolution.z == 1. ? 1. : 0., frame == 9 ? 1. : 0., 1., 1.); }"
    values = {"resolution": [40.0, 24.0, 1.0], "frame": 9.0}
    picture = screen.draw(complete(text).text, 2, 2, values)
    np.testing.assert_array_equal(picture, np.full((2, 2, 3), 255, np.uint8))


def test_given_functions_of_the_shortest_dialect(screen):
    text = """mat2 q = rotate2D(PI/2.); mat3 z = rotate3D(PI/2., vec3(0,0,2));
    vec2 v = q * vec2(1,0); vec3 w = z * vec3(1,0,0); vec3 red = hsv(0.,1.,1.);
    o = vec4(abs(v.x) + abs(v.y - 1.) < 1e-5 ? 1. : 0., abs(w.x) + abs(w.y - 1.) < 1e-5 ? 1. : 0.,
    red == vec3(1,0,0) && PI2 == 2.*PI ? 1. : 0., 1);"""
    picture = screen.draw(complete(text).text, 1, 1, {})
    assert picture.tolist() == [[[255, 255, 255]]]
    text = "o = vec4(.5+.5*snoise2D(FC.xy/9.), .5+.5*snoise3D(FC.xyx/9.), fsnoise(FC.xy), 1);"
    noise = screen.draw(complete(text).text, 128, 128, {}).astype(int)
    assert np.abs(np.diff(noise[..., :2], axis=1)).max() < 60  # smooth
    assert (noise.std((0, 1))[:2] > 25).all()
    assert abs(noise[..., 2].mean() - 127) < 4 and abs(noise[..., 2].std() - 73.6) < 4
    assert abs(np.corrcoef(noise[:, 1:, 2].ravel(), noise[:, :-1, 2].ravel())[0, 1]) < 0.05


def test_textures_are_noise_and_the_past_is_black(screen):
    text = "void mainImage(out vec4 c, in vec2 p) { c = texture(iChannel1, p / 256.); }"
    assert screen.draw(complete(text).text, 64, 64, {}).std() > 50
    text = "o = vec4(1) - texture(b, FC.xy / r);"
    picture = screen.draw(complete(text).text, 4, 4, {"r": [4.0, 4.0]})
    np.testing.assert_array_equal(picture, np.full((4, 4, 3), 255, np.uint8))


def test_compiler_messages_have_the_authors_lines(screen):
    text = "void mainImage(out vec4 c, in vec2 p) {\n  c = vec4(0);\n  c.r = foo(1.);\n}"
    with pytest.raises(GLSLError, match=r"0:3\(.*foo"):
        screen.draw(complete(text).text, 4, 4, {})


def test_an_endless_loop_is_stopped(screen):
    screen.draw(PLAIN, 4, 4, MOMENT)
    screen.time_limit = 1.0
    with pytest.raises(GLSLError, match="longer than 1 s"):
        screen.draw(complete(ENDLESS).text, 64, 64, MOMENT)
    screen.time_limit = 20
    assert screen.draw(PLAIN, 4, 4, MOMENT).max() == 128
