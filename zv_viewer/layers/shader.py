"""The programs that draw a cell's rows: as points, and as what links join.

What a view has no use for, planes and the slab, is left out of the text: a software renderer would
compute it for every row or pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

_PLACE = """
attribute vec4 a_position;   // store axes, relative to the layer's origin
attribute float a_value;     // of the attribute coloured by; NaN: missing

uniform vec4 u_centre;       // near the middle of the view, store axes, relative to the origin
uniform mat4 u_matrix;       // step from u_centre -> clip
uniform vec4 u_offset;       // u_centre -> clip
"""

_KEPT = """
uniform vec4 u_slab_middle;  // per store axis, relative to the origin
uniform vec4 u_slab_half;    // per store axis; negative: the axis is on the canvas
uniform mat4 u_normals_a;    // normals of the first four clipping planes, store axes
uniform vec4 u_reach_a;      // where each lies along its normal, relative to the origin
uniform mat4 u_normals_b;
uniform vec4 u_reach_b;

bool out_of_slab(vec4 position, float more) {
#if SLAB
    vec4 away = abs(position - u_slab_middle);
    vec4 reach = u_slab_half + more;
    return any(bvec4(
        u_slab_half.x >= 0.0 && away.x > reach.x, u_slab_half.y >= 0.0 && away.y > reach.y,
        u_slab_half.z >= 0.0 && away.z > reach.z, u_slab_half.w >= 0.0 && away.w > reach.w));
#else
    return false;
#endif
}

bool behind_a_plane(vec4 position) {
#if PLANES
    return any(lessThan(u_normals_a * position, u_reach_a))
        || any(lessThan(u_normals_b * position, u_reach_b));
#else
    return false;
#endif
}
"""

_COLOUR = """
uniform float u_mode;        // 0 plain, 1 scalar, 2 category, 3 rgb
uniform sampler2D u_lut;
uniform float u_lut_length;
uniform vec2 u_lut_shape;    // width and height; entries run along x, then y
uniform vec2 u_limits;       // value at the table's start, 1 / (end - start)
uniform vec3 u_missing;

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
"""

_POINTS = (
    _PLACE
    + _KEPT
    + _COLOUR
    + """
attribute float a_spacing;   // typical distance to the next row, store units; -1: left out

#if WEIGHED
attribute float a_stands_for; // rows of level 0 a row stands for
#endif

uniform vec4 u_size;         // fixed px (0: by spacing), px per unit at w = 1, least, most px
uniform vec2 u_value_size;   // px at the ends of the table of colours; 0: not by value
uniform float u_opacity;     // of one row of level 0

varying vec4 v_colour;

void main() {
    if (a_spacing < 0.0 || out_of_slab(a_position, 0.5 * a_spacing)
        || behind_a_plane(a_position)) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        gl_PointSize = 0.0;
        v_colour = vec4(0.0);
        return;
    }
    gl_Position = u_matrix * (a_position - u_centre) + u_offset;
    gl_PointSize = u_size.x;
    if (u_size.x <= 0.0) {
        gl_PointSize = clamp(a_spacing * u_size.y / max(gl_Position.w, 1e-30), u_size.z, u_size.w);
    }
    if (u_value_size.y > 0.0 && u_mode > 0.5 && u_mode < 1.5) {
        float part = clamp((a_value - u_limits.x) * u_limits.y, 0.0, 1.0);
        bool known = a_value <= 0.0 || a_value > 0.0;
        gl_PointSize = mix(u_value_size.x, u_value_size.y, known ? part : 0.0);
    }
    float opaque = 1.0;
#if WEIGHED
    if (a_stands_for > 1.0) opaque = (1.0 - pow(1.0 - u_opacity, a_stands_for)) / u_opacity;
#endif
    v_colour = vec4(colour_of(a_value), opaque);
}
"""
)

SQUARE = """
varying vec4 v_colour;       // a: times the layer's opacity

void main() {
    gl_FragColor = v_colour;
}
"""

ROUND = """
varying vec4 v_colour;

void main() {
    vec2 from_middle = gl_PointCoord - 0.5;
    if (dot(from_middle, from_middle) > 0.25) discard;
    gl_FragColor = v_colour;
}
"""

LINKS = (
    _PLACE
    + _COLOUR
    + """
attribute float a_object;    // rank of the object the row belongs to
attribute float a_level;     // position of the level the row belongs to; -1: left out

uniform sampler2D u_objects; // rgb: colour; a: look * 32 + level the object is drawn at
uniform vec2 u_objects_shape;
uniform float u_by_object;   // 1: objects have colours of their own
uniform vec4 u_ghost;
uniform float u_deep;        // 1: three axes are shown, so what is nearer hides what is farther
uniform vec3 u_highlight;
uniform mat4 u_eye;          // step from u_centre -> right, down and ahead of the camera, px

varying vec4 v_colour;
varying vec4 v_position;     // as a_position: slab and planes cut between rows
varying vec3 v_eye;
varying float v_drawn;       // 1 between rows that are drawn, far from it beside any other

void main() {
    float line = floor(a_object / u_objects_shape.x);
    vec2 texel = vec2(a_object - line * u_objects_shape.x, line);
    vec4 object = texture2D(u_objects, (texel + 0.5) / u_objects_shape);
    float state = floor(object.a * 255.0 + 0.5);
    float look = floor((state + 0.5) / 32.0);
    v_position = a_position;
    if (look < 0.5 || abs(state - look * 32.0 - a_level) > 0.5) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        v_colour = vec4(0.0);
        v_eye = vec3(0.0);
        v_drawn = -1e6;
        return;
    }
    vec4 away = a_position - u_centre;
    gl_Position = u_matrix * away + u_offset;
    v_eye = (u_eye * away).xyz;
    v_drawn = 1.0;
    v_colour = vec4(u_by_object > 0.5 ? object.rgb : colour_of(a_value), 1.0);
    if (look < 1.5) {
        v_colour = u_ghost;
        if (u_deep > 0.5) gl_Position.z = mix(gl_Position.w, gl_Position.z, 0.01);
    } else if (look > 2.5) {
        v_colour.rgb = u_highlight;
        gl_Position.z = mix(-gl_Position.w, gl_Position.z, 0.01);
    }
}
"""
)

_BETWEEN_ROWS = (
    _KEPT
    + """
varying vec4 v_colour;
varying vec4 v_position;
varying float v_drawn;

bool left_out() {
    return abs(v_drawn - 1.0) > 0.5;
}
"""
)

_PLAIN_LINKS = (
    _BETWEEN_ROWS
    + """
void main() {
    if (left_out() || out_of_slab(v_position, 0.0) || behind_a_plane(v_position)) discard;
    gl_FragColor = v_colour;
}
"""
)

_SHADED_LINKS = (
    """
#ifdef GL_ES
#extension GL_OES_standard_derivatives : enable
#endif
"""
    + _BETWEEN_ROWS
    + """
varying vec3 v_eye;

void main() {
    vec3 normal = cross(dFdx(v_eye), dFdy(v_eye));
    if (left_out() || out_of_slab(v_position, 0.0) || behind_a_plane(v_position)) discard;
    float facing = abs(normal.z) / max(length(normal), 1e-18);
    gl_FragColor = vec4(v_colour.rgb * mix(0.3, 1.0, facing), v_colour.a);
}
"""
)


@dataclass(frozen=True, slots=True)
class Cuts:
    """What takes rows away: whether axes are hidden, and whether planes clip."""

    slab: bool = False
    planes: bool = False

    @property
    def _defined(self) -> str:
        return f"#define SLAB {int(self.slab)}\n#define PLANES {int(self.planes)}\n"

    def points(self, *, weighed: bool = False) -> str:
        """The program of a row drawn as a point, which may stand for others."""
        return self._defined + f"#define WEIGHED {int(weighed)}\n" + _POINTS

    def links(self, *, shaded: bool) -> str:
        """The program of a pixel of what links join."""
        return self._defined + (_SHADED_LINKS if shaded else _PLAIN_LINKS)
