"""The text around a user's shader: dialects, what is declared for them, line numbers."""

from __future__ import annotations

import pytest
from reference.glsl_samples import ALL, CLASSIC, CLASSIC_300, GEEK, GEEKER, GEEKER_300, GEEKEST_MRT

from mmpmg.synthesis.glsl_source import complete
from mmpmg.synthesis.glsl_uniforms import uniforms


@pytest.mark.parametrize(("dialect", "text"), ALL)
def test_dialects_are_told_apart_and_completed(dialect, text):
    source = complete(text)
    assert source.dialect == dialect
    lines = source.text.splitlines()
    assert lines[0] == "#version 300 es"
    assert sum(line.startswith("#version") for line in lines) == 1
    assert source.text.count("void main()") - text.count("void main()") in (0, 1)
    assert "gl_FragColor" not in source.text
    # The author's first line is numbered 1.
    after = lines[lines.index("#line 1") + 1]
    first = text.splitlines()[0]
    assert after == (
        "" if first.startswith("#version") else first.replace("gl_FragColor", "mmpmgColor")
    )


def test_only_what_is_missing_is_declared():
    assert complete(CLASSIC_300).text.count("out vec4") == 1
    assert complete(GEEK).text.count("uniform vec2 r") == 1
    assert complete(GEEKER).text.count("uniform vec2 r;") == 1
    assert "out vec4 o;" in complete(GEEKER_300).text
    assert "location = 1) out vec4 o1" in complete(GEEKEST_MRT).text
    assert "mmpmgColor" in complete(CLASSIC).text
    local = "uniform float time;\nvoid main(){ vec4 outer; gl_FragColor = outer; }"
    assert "out vec4 mmpmgColor;" in complete(local).text


def test_moments_are_functions_of_their_numbers():
    one = uniforms(1, 2, 3, (90, 160), 60)
    assert one == uniforms(1, 2, 3, (90, 160), 60)
    times = [uniforms(0, 0, instance, (90, 160), 10)["iTime"] for instance in range(200)]
    assert len(set(times)) == 200 and 0 <= min(times) < 1 and 9 < max(times) < 10
    assert one["iResolution"] == [160, 90, 1]
    assert one["iFrame"] == int(one["iTime"] * 60)
    mice = [uniforms(0, 0, instance, (90, 160), 10)["iMouse"] for instance in range(200)]
    assert 60 < sum(mouse == [0, 0, 0, 0] for mouse in mice) < 140
    assert all(0 <= x <= 160 and 0 <= y <= 90 for x, y, _, _ in mice)
