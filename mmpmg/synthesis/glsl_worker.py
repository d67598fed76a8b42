"""The process that draws GLSL shaders: it may hang or crash without taking a data worker along.

`glsl_process` starts this file by its path, not as a module: it needs numpy and moderngl alone, and
must not wait for the rest of the package to be imported.

Its argument is the number of the process that started it; it does not outlive that one, not even in
the middle of an endless shader. It reads requests from standard input, one JSON object a line
(``vertex``, ``fragment``, ``height``, ``width``, ``uniforms``), and answers on standard output with
a JSON object a line, ``{"bytes": n}`` followed by n bytes (rows from the top, RGB), or ``{"error":
message}``. Its first line says whether it could start.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import sys
import threading
import time
from collections import OrderedDict
from typing import Any, BinaryIO

import numpy as np

_PROGRAMS = 64  # compiled shaders that are kept
_NOISE_SIDE = 256
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_WATCH = 1.0  # seconds between two looks at the parent


class Painter:
    """An OpenGL context without a screen, and the shaders compiled in it."""

    def __init__(self) -> None:
        import moderngl

        self._gl: Any = moderngl
        self._context = self._gl.create_context(standalone=True, backend="egl", require=330)
        self._triangle = self._context.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())
        self._programs: OrderedDict[tuple[str, str], tuple[Any, Any]] = OrderedDict()
        self._target: Any = None
        noise = np.random.default_rng(0).integers(0, 256, (_NOISE_SIDE, _NOISE_SIDE, 4), np.uint8)
        self._noise = self._context.texture((_NOISE_SIDE, _NOISE_SIDE), 4, noise.tobytes())
        self._noise.build_mipmaps()
        self._black = self._context.texture((1, 1), 4, bytes(4))

    def describe(self) -> str:
        """Return what draws."""
        info = self._context.info
        return f"{info['GL_RENDERER']}, OpenGL {info['GL_VERSION']}"

    def draw(
        self, vertex: str, fragment: str, height: int, width: int, uniforms: dict[str, Any]
    ) -> bytes:
        """Draw one picture, rows from the top."""
        program, array = self._compiled(vertex, fragment)
        if self._target is None or self._target.size != (width, height):
            if self._target is not None:
                self._target.release()
            self._target = self._context.simple_framebuffer((width, height), 4)
        self._target.use()
        self._target.clear()
        for unit, name in enumerate(name for name in program if name in _SAMPLERS):
            (self._noise if name.startswith("iChannel") else self._black).use(unit)
            program[name] = unit
        for name, value in uniforms.items():
            if name in program:
                program[name] = _fitting(program[name], value)
        array.render(self._gl.TRIANGLES)
        data = self._target.read(components=3, alignment=1)
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)[::-1].tobytes()

    def _compiled(self, vertex: str, fragment: str) -> tuple[Any, Any]:
        key = (vertex, fragment)
        if key not in self._programs:
            program = self._context.program(vertex_shader=vertex, fragment_shader=fragment)
            array = self._context.vertex_array(program, [(self._triangle, "2f", "corner")])
            self._programs[key] = program, array
            if len(self._programs) > _PROGRAMS:
                for part in reversed(self._programs.popitem(last=False)[1]):
                    part.release()
        self._programs.move_to_end(key)
        return self._programs[key]


_SAMPLERS = {"iChannel0", "iChannel1", "iChannel2", "iChannel3", "b", "b0", "b1"} | {
    "backbuffer", "backbuffer0", "backbuffer1",
}  # fmt: skip


def _fitting(uniform: Any, value: Any) -> Any:
    """Cut a value to what the shader declared: a resolution of two numbers or three, a whole f."""
    if isinstance(value, list):
        if uniform.array_length > 1:
            return [tuple(item) if isinstance(item, list) else item for item in value][
                : uniform.array_length
            ]
        return tuple(value[: uniform.dimension]) if uniform.dimension > 1 else value[0]
    return int(value) if uniform.fmt.endswith(("i", "u")) else value


def compiler_message(error: Exception) -> str:
    """Return what the compiler said on one line, without the frame around it."""
    lines = (line.strip() for line in str(error).splitlines())
    frame = re.compile(r"GLSL Compiler failed|GLSL Linker failed|\w+_shader|=*")
    return "; ".join(line for line in lines if not frame.fullmatch(line)) or type(error).__name__


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Draw whatever is asked for until there is nothing more."""

    def answer(data: bytes = b"", **head: Any) -> None:
        answers.write(json.dumps(head).encode() + b"\n" + data)
        answers.flush()

    try:
        painter = Painter()
    except Exception as error:
        return answer(error=str(error) or type(error).__name__)
    answer(renderer=painter.describe())
    for line in requests:
        try:
            data = painter.draw(**json.loads(line))
        except Exception as error:
            answer(error=compiler_message(error))
        else:
            answer(data, bytes=len(data))


def end_with(parent: int) -> None:
    """Let this process be killed as soon as the one that started it is gone, however that ended.

    A parent killed by SIGKILL can end nobody, and a process inside of a hanging driver does not
    notice that nothing more is asked for. Linux kills it then; elsewhere a thread does, if the
    driver lets other threads run.

    Args:
        parent: process number of the one that started this process.
    """
    killed = False
    if sys.platform.startswith("linux"):
        prctl = ctypes.CDLL(None).prctl
        killed = prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)) == 0
    if not killed:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # gone before it could be asked for
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH)
    os._exit(1)


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a driver prints must not come between the answers
    serve(sys.stdin.buffer, channel)
