"""What fragment shaders of Shadertoy and twigl leave out, so that they compile on their own.

Four dialects, told apart by their text, all brought to GLSL ES 3.00:

- ``shadertoy``: a function ``mainImage(out vec4, in vec2)`` and uniforms ``iTime``,
  ``iResolution``, ``iMouse``, ``iFrame`` ...;
- ``classic``, which also covers twigl's ``geek``: a whole program with ``void main`` that declares
  its uniforms (``time``, ``resolution``, ``mouse``, ``frame``, ``backbuffer``, or one letter each);
- ``geeker``: the same, uniforms of one letter declared for it;
- ``geekest``: nothing but the body of ``main``; ``FC``, ``o``, ``r``, ``t``, ``m``, ``f``, ``s``,
  ``b`` and a few functions are given.

Textures (``iChannel0`` to ``3``) are noise, what was drawn before (``backbuffer``) is black, sound
is silent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .glsl_helpers import HELPERS

_HEAD = (
    "#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2D;\n"
)
_OUTPUT = "out vec4 mmpmgColor;\n"
_SHADERTOY = """\
uniform vec3 iResolution;
uniform float iTime;
uniform float iTimeDelta;
uniform float iFrameRate;
uniform int iFrame;
uniform float iChannelTime[4];
uniform vec3 iChannelResolution[4];
uniform vec4 iMouse;
uniform vec4 iDate;
uniform float iSampleRate;
uniform sampler2D iChannel0;
uniform sampler2D iChannel1;
uniform sampler2D iChannel2;
uniform sampler2D iChannel3;
"""
_LETTERS = """\
uniform vec2 r;
uniform vec2 m;
uniform float t;
uniform float f;
uniform float s;
uniform sampler2D b;
uniform sampler2D b0;
uniform sampler2D b1;
"""
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
# Old names that GLSL ES 3.00 has others for.
_RENAMED = {
    "gl_FragColor": "mmpmgColor",
    "texture2D": "texture",
    "texture2DLodEXT": "textureLod",
    "textureCube": "texture",
}


@dataclass(frozen=True)
class ShaderSource:
    """A fragment shader that compiles on its own.

    Args:
        dialect: ``"shadertoy"``, ``"classic"``, ``"geeker"`` or ``"geekest"``.
        text: GLSL ES 3.00; its lines are numbered as the author's were.
    """

    dialect: str
    text: str


def complete(text: str) -> ShaderSource:
    """Add what a shader leaves out.

    Args:
        text: as its author wrote it.

    Returns:
        The whole shader.
    """
    bare = _COMMENT.sub(" ", text)
    dialect = find_dialect(bare)
    body = _without_head(text)
    for old, new in _RENAMED.items():
        body = re.sub(rf"\b{old}\b", new, body)
    parts = [_HEAD]
    if dialect == "shadertoy":
        parts += [_SHADERTOY, _OUTPUT, "#line 1\n", body, "\n", _SHADERTOY_MAIN]
    elif dialect == "geekest":
        first, second = _outputs(bare, "o")
        parts += [first, second, _LETTERS, "#define FC gl_FragCoord\n", HELPERS, "\n"]
        parts += [f"void main() {{\n{_CLEAR.format('o0' if second else 'o')}"]
        parts += ["#line 1\n", body, "\n}\n"]
    else:
        if not re.search(r"\bout\s+(?:(?:low|medium|high)p\s+)?vec4\b[^(]*?;", _top_level(bare)):
            names = "o" if dialect == "geeker" else "outColor"
            used = re.search(rf"\b{names}[01]?\b", bare) and "gl_FragColor" not in bare
            parts += _outputs(bare, names) if used else [_OUTPUT]
        if dialect == "geeker":
            parts += [_LETTERS, "#define FC gl_FragCoord\n"]
        parts += ["#line 1\n", body, "\n"]
    return ShaderSource(dialect, "".join(parts))


def find_dialect(bare: str) -> str:
    """Tell which dialect a shader is written in.

    Args:
        bare: its text without comments.

    Returns:
        ``"shadertoy"``, ``"classic"``, ``"geeker"`` or ``"geekest"``.
    """
    if re.search(r"\bmainImage\s*\(", bare):
        return "shadertoy"
    if not re.search(r"\bvoid\s+main\s*\(", bare):
        return "geekest"
    return "classic" if re.search(r"^\s*uniform\b|;\s*uniform\b", bare, re.M) else "geeker"


def _without_head(text: str) -> str:
    """Blank version and extension lines, which may stand at the top only; lines keep their place.

    WebGL's extensions are part of GLSL ES 3.00.
    """
    return re.sub(r"^[ \t]*#[ \t]*(version|extension)[^\n]*", "", text, flags=re.MULTILINE)


def _top_level(bare: str) -> str:
    """Return what stands outside of all braces."""
    depth, kept = 0, []
    for character in bare:
        depth += (character == "{") - (character == "}")
        if depth == 0:
            kept.append(character)
    return "".join(kept)


def _outputs(bare: str, name: str) -> tuple[str, str]:
    """Declare one output, or twigl's two (multiple render targets), of which the first is shown."""
    if not re.search(rf"\b{name}[01]\b", bare):
        return f"out vec4 {name};\n", ""
    return (
        f"layout(location = 0) out vec4 {name}0;\n",
        f"layout(location = 1) out vec4 {name}1;\n",
    )


_CLEAR = "{} = vec4(0.0);\n"
_SHADERTOY_MAIN = """\
void main() {
    vec4 color = vec4(0.0, 0.0, 0.0, 1.0);
    mainImage(color, gl_FragCoord.xy);
    mmpmgColor = color;
}
"""
