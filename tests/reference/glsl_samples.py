"""Small shaders in every dialect: red grows to the right, green upwards."""

from __future__ import annotations

SHADERTOY = "void mainImage(out vec4 c, in vec2 p) { c = vec4(p / iResolution.xy, 0., 1.); }"
CLASSIC = """precision highp float;
uniform vec2 resolution;
uniform float time;
void main() { gl_FragColor = vec4(gl_FragCoord.xy / resolution, fract(time), 1.); }"""
CLASSIC_300 = """#version 300 es
precision highp float;
uniform vec2 resolution;
out vec4 outColor;
void main() { outColor = vec4(gl_FragCoord.xy / resolution, .5, 1.); }"""
GEEK = """precision highp float;uniform vec2 r;uniform float t;
void main(){gl_FragColor=vec4(gl_FragCoord.xy/r,fract(t),1);}"""
GEEKER = "void main(){gl_FragColor=vec4(gl_FragCoord.xy/r,fract(t),1);}"
GEEKER_300 = "void main(){o=vec4(gl_FragCoord.xy/r,fract(t),1);}"
GEEKEST = "vec2 p=FC.xy/r;o=vec4(p,.5+.5*snoise2D(p*9.),1);"
GEEKEST_MRT = "o0=vec4(FC.xy/r,0,1);o1=texture(b1,FC.xy/r);"

DIALECTS = {
    "shadertoy": [SHADERTOY, "// void main() {}\n" + SHADERTOY],
    "classic": [CLASSIC, CLASSIC_300, GEEK],
    "geeker": [GEEKER, GEEKER_300, "/* uniform float t; */ " + GEEKER],
    "geekest": [GEEKEST, GEEKEST_MRT, "// void main()\n" + GEEKEST],
}
ALL = [(dialect, text) for dialect, texts in DIALECTS.items() for text in texts]
# Mesa's software renderer leaves loops after 65,535 rounds in all, so each must be long.
ENDLESS = """#define ONE o.r = sin(o.r + float(i));
#define TEN ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
for (int i = 0; i < 2000000000 + int(t); i++) { HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED }"""
