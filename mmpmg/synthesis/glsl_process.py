"""Draw GLSL shaders in a process of their own, with a time limit."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

_WORKER = Path(__file__).with_name("glsl_worker.py")
_START_LIMIT = 120.0  # seconds: a cold disk, a busy machine
_LINE_LIMIT = 1 << 20
VERTEX = "#version 300 es\nin vec2 corner;\nvoid main() { gl_Position = vec4(corner, 0.0, 1.0); }\n"


class GLSLError(Exception):
    """A shader cannot be drawn: the compiler's message, or that it hangs."""


class GLSLUnavailableError(ImportError):
    """Nothing can be drawn here: a library is missing."""


class GLSLProcess:
    """A process that draws shaders; killed when one takes too long, started again for the next.

    A copy in another process (a data worker) starts a process of its own. It ends with the process
    that uses it, even with one that is killed.

    Args:
        time_limit: seconds that one picture may take, compiling included.
        command: what to start, for tests; the number of this process is appended.

    Raises:
        GLSLUnavailableError: moderngl is not installed.
        ValueError: the limit is not above 0.
    """

    def __init__(self, time_limit: float = 10.0, command: list[str] | None = None) -> None:
        if not time_limit > 0:
            raise ValueError(f"images.time_limit={time_limit}: must be above 0")
        if command is None and importlib.util.find_spec("moderngl") is None:
            raise GLSLUnavailableError(
                'Drawing GLSL shaders needs moderngl: pip install "mmpmg[glsl]"'
            )
        self.time_limit = time_limit
        self._command = command or [sys.executable, str(_WORKER)]
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = -1

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_process": None, "_owner": -1}

    def draw(self, fragment: str, height: int, width: int, uniforms: dict[str, Any]) -> np.ndarray:
        """Draw one picture.

        Args:
            fragment: the whole fragment shader.
            height: pixels, 1 or more.
            width: pixels, 1 or more.
            uniforms: values by name; those that the shader lacks are passed over.

        Returns:
            (height, width, 3) uint8 RGB.

        Raises:
            GLSLError: the shader does not compile, or takes longer than the limit.
            GLSLUnavailableError: there is no OpenGL here.
        """
        request = dict(
            vertex=VERTEX, fragment=fragment, height=height, width=width, uniforms=uniforms
        )
        process = self._started()
        deadline = time.monotonic() + self.time_limit
        try:
            assert process.stdin is not None
            left = json.dumps(request).encode() + b"\n"
            while left:
                left = left[process.stdin.write(left) :]
            head = json.loads(self._read_line(process, deadline))
            if "error" in head:
                raise GLSLError(head["error"])
            data = self._read(process, head["bytes"], deadline)
        except TimeoutError:
            self.close()
            raise GLSLError(f"took longer than {self.time_limit:g} s (images.time_limit)") from None
        except (EOFError, BrokenPipeError):
            code = process.wait()
            self.close()
            raise GLSLError(f"ended the process that drew it (exit status {code})") from None
        return np.frombuffer(data, np.uint8).reshape(height, width, 3).copy()

    def close(self) -> None:
        """End the process, if this process has one."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner == os.getpid():
            if self._process.poll() is None:
                return self._process
            self.close()  # Linux ends it with the thread that started it, too
        # Mesa's software renderer would start a thread for each core, in each data worker.
        environment = {"LP_NUM_THREADS": "1", **os.environ}
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [*self._command, str(self._owner)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment,
            start_new_session=True,  # Ctrl-C is the training's to handle
        )
        try:
            head = json.loads(self._read_line(self._process, time.monotonic() + _START_LIMIT))
        except (TimeoutError, EOFError) as error:
            head = {"error": f"the drawing process did not start ({type(error).__name__})"}
        if "error" in head:
            self.close()
            raise GLSLUnavailableError(
                f"Cannot draw GLSL shaders without a screen: {head['error']}. They need moderngl "
                '(pip install "mmpmg[glsl]") and EGL (Debian, Ubuntu: apt-get install libegl1 '
                "libgl1-mesa-dri)"
            )
        return self._process

    def _read_line(self, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        line = b""
        while not line.endswith(b"\n") and len(line) < _LINE_LIMIT:
            line += self._read(process, 1, deadline)
        return line

    def _read(self, process: subprocess.Popen[bytes], count: int, deadline: float) -> bytes:
        """Read exactly so many bytes, or raise TimeoutError or EOFError."""
        assert process.stdout is not None
        parts, left = [], count
        while left:
            wait = max(0.0, deadline - time.monotonic())
            if not select.select([process.stdout], [], [], wait)[0]:
                raise TimeoutError
            part = os.read(process.stdout.fileno(), min(left, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
