"""The two programs that draw a cell's rows as points."""

from __future__ import annotations

VERTEX = """
attribute vec4 a_position;   // store axes, relative to the layer's origin
attribute float a_value;     // of the attribute coloured by; NaN: missing
attribute float a_spacing;   // typical distance to the next row, store units

uniform vec4 u_centre;       // near the middle of the view, store axes, relative to the origin
uniform mat4 u_matrix;       // step from u_centre -> clip
uniform vec4 u_offset;       // u_centre -> clip
uniform vec4 u_slab_middle;  // per store axis, relative to the origin
uniform vec4 u_slab_half;    // per store axis; negative: the axis is on the canvas
uniform vec4 u_size;         // fixed px (0: by spacing), px per unit at w = 1, least, most px

uniform float u_mode;        // 0 plain, 1 scalar, 2 category, 3 rgb
uniform sampler2D u_lut;
uniform float u_lut_length;
uniform vec2 u_lut_shape;    // width and height; entries run along x, then y
uniform vec2 u_limits;       // value at the table's start, 1 / (end - start)
uniform vec3 u_missing;

varying vec3 v_colour;

vec3 of_table(float texel) {
    float row = floor((texel + 0.5) / u_lut_shape.x);
    return texture2D(u_lut, (vec2(texel - row * u_lut_shape.x, row) + 0.5) / u_lut_shape).rgb;
}

vec3 colour_of(float value) {
    if (u_mode < 0.5) return of_table(0.0);
    if (u_mode < 1.5) {
        if (!(value <= 0.0 || value > 0.0)) return u_missing;
        return of_table(clamp((value - u_limits.x) * u_limits.y, 0.0, 1.0) * (u_lut_length - 1.0));
    }
    if (!(value >= 0.0)) return u_missing;
    if (u_mode < 2.5) return of_table(floor(mod(value + 0.5, u_lut_length)));
    float red = floor(value / 65536.0);
    float green = floor((value - red * 65536.0) / 256.0);
    return vec3(red, green, value - red * 65536.0 - green * 256.0) / 255.0;
}

void main() {
    vec4 away = abs(a_position - u_slab_middle);
    vec4 reach = u_slab_half + 0.5 * a_spacing;
    bvec4 hidden_and_far = bvec4(
        u_slab_half.x >= 0.0 && away.x > reach.x, u_slab_half.y >= 0.0 && away.y > reach.y,
        u_slab_half.z >= 0.0 && away.z > reach.z, u_slab_half.w >= 0.0 && away.w > reach.w);
    if (any(hidden_and_far)) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        gl_PointSize = 0.0;
        v_colour = vec3(0.0);
        return;
    }
    gl_Position = u_matrix * (a_position - u_centre) + u_offset;
    gl_PointSize = u_size.x;
    if (u_size.x <= 0.0) {
        gl_PointSize = clamp(a_spacing * u_size.y / max(gl_Position.w, 1e-30), u_size.z, u_size.w);
    }
    v_colour = colour_of(a_value);
}
"""

SQUARE = """
varying vec3 v_colour;

void main() {
    gl_FragColor = vec4(v_colour, 1.0);
}
"""

ROUND = """
varying vec3 v_colour;

void main() {
    vec2 from_middle = gl_PointCoord - 0.5;
    if (dot(from_middle, from_middle) > 0.25) discard;
    gl_FragColor = vec4(v_colour, 1.0);
}
"""
