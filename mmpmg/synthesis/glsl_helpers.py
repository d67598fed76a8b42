"""The functions that twigl gives its shortest shaders, written anew.

Names, arguments and ranges are twigl's; the noise is another of the same kind (value noise of a
hash of whole numbers), so such a shader shows other clouds here than there.
"""

HELPERS = """\
const float PI = 3.141592653589793;
const float PI2 = 6.283185307179586;
uint mmpmgStir(uint n) {
    n = (n ^ (n >> 16u)) * 0x7feb352du;
    n = (n ^ (n >> 15u)) * 0x846ca68bu;
    return n ^ (n >> 16u);
}
float mmpmgHash(ivec4 p) {
    uint n = mmpmgStir(uint(p.x));
    n = mmpmgStir(n + uint(p.y));
    n = mmpmgStir(n + uint(p.z));
    n = mmpmgStir(n + uint(p.w));
    return float(n >> 8u) / 8388608.0 - 1.0;
}
float snoise4D(vec4 v) {
    ivec4 cell = ivec4(floor(v));
    vec4 u = fract(v);
    u = u * u * u * (u * (u * 6.0 - 15.0) + 10.0);
    float total = 0.0;
    for (int corner = 0; corner < 16; corner++) {
        ivec4 step_ = ivec4(corner & 1, corner >> 1 & 1, corner >> 2 & 1, corner >> 3);
        vec4 share = mix(1.0 - u, u, vec4(step_));
        total += share.x * share.y * share.z * share.w * mmpmgHash(cell + step_);
    }
    return total;
}
float snoise3D(vec3 v) { return snoise4D(vec4(v, 0.0)); }
float snoise2D(vec2 v) { return snoise4D(vec4(v, 0.0, 0.0)); }
float fsnoise(vec2 c) { return 0.5 + 0.5 * mmpmgHash(ivec4(floatBitsToInt(c), 0, 0)); }
float fsnoiseDigits(vec2 c) { return 0.5 + 0.5 * mmpmgHash(ivec4(floatBitsToInt(c), 1, 0)); }
vec3 hsv(float h, float s_, float v) {
    vec3 place = abs(fract(h + vec3(0.0, 2.0, 1.0) / 3.0) * 6.0 - 3.0) - 1.0;
    return v * mix(vec3(1.0), clamp(place, 0.0, 1.0), s_);
}
mat2 rotate2D(float turn) {
    float c = cos(turn);
    float n = sin(turn);
    return mat2(c, n, -n, c);
}
mat3 rotate3D(float turn, vec3 axis) {
    vec3 a = normalize(axis);
    float c = cos(turn);
    mat3 cross_ = mat3(0.0, a.z, -a.y, -a.z, 0.0, a.x, a.y, -a.x, 0.0);
    return mat3(c) + (1.0 - c) * outerProduct(a, a) + sin(turn) * cross_;
}
"""
