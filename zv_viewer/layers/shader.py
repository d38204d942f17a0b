"""The programs that draw a cell's rows: as points, and as what links join.

What a view has no use for, planes, the slab and more, is left out of the text: a software renderer
would compute it for every row or pixel, both sides of a condition and every look-up in a table.
"""

from __future__ import annotations

from dataclasses import dataclass

_PLACE = """
attribute vec4 a_position;   // store axes, relative to the layer's origin
attribute float a_value;     // of the attribute coloured by; NaN: missing

uniform vec4 u_centre;       // near the middle of the view, store axes, relative to the origin
uniform mat4 u_matrix;       // step from u_centre -> clip
uniform vec4 u_offset;       // u_centre -> clip

#if TINTED
attribute float a_page;      // page of rows that the row lies in
uniform sampler2D u_tints;   // a colour for each page
uniform vec2 u_tints_shape;

vec3 tint() {
    float line = floor((a_page + 0.5) / u_tints_shape.x);
    return texture2D(u_tints, (vec2(a_page - line * u_tints_shape.x, line) + 0.5)
        / u_tints_shape).rgb;
}
#endif

#if PARTED
uniform float u_shift;       // how far to the right, 1: half the canvas
#endif

vec4 shifted(vec4 clip) {
#if PARTED
    clip.x += u_shift * clip.w;
#endif
    return clip;
}
"""

_PART = """
#if PARTED
uniform vec2 u_part;         // first and last pixel across that is drawn
#endif

bool beside_part() {
#if PARTED
    return gl_FragCoord.x < u_part.x || gl_FragCoord.x >= u_part.y;
#else
    return false;
#endif
}
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
uniform sampler2D u_lut;
uniform float u_lut_length;
uniform vec2 u_lut_shape;    // width and height; entries run along x, then y
uniform vec2 u_limits;       // value at the table's start, 1 / (end - start)
uniform vec3 u_missing;

vec3 of_table(float texel) {
    float row = floor((texel + 0.5) / u_lut_shape.x);
    return texture2D(u_lut, (vec2(texel - row * u_lut_shape.x, row) + 0.5) / u_lut_shape).rgb;
}

// MODE: 0 plain, 1 scalar, 2 category, 3 rgb
vec3 colour_of(float value) {
#if MODE == 0
    return of_table(0.0);
#elif MODE == 1
    if (!(value <= 0.0 || value > 0.0)) return u_missing;
    return of_table(clamp((value - u_limits.x) * u_limits.y, 0.0, 1.0) * (u_lut_length - 1.0));
#else
    if (!(value >= 0.0)) return u_missing;
#if MODE == 2
    return of_table(floor(mod(value + 0.5, u_lut_length)));
#else
    float red = floor(value / 65536.0);
    float green = floor((value - red * 65536.0) / 256.0);
    return vec3(red, green, value - red * 65536.0 - green * 256.0) / 255.0;
#endif
#endif
}
"""

_OBJECTS = """
attribute float a_object;    // rank of the object the row belongs to; -1: not known

uniform sampler2D u_objects; // rgb: colour; a: look * 32 + level the object is drawn at
uniform vec2 u_objects_shape;
uniform vec4 u_ghost;
uniform float u_deep;        // 1: three axes are shown, so what is nearer hides what is farther
uniform vec3 u_highlight;

vec2 place_of_object() {
    float line = floor((a_object + 0.5) / u_objects_shape.x);
    return (vec2(a_object - line * u_objects_shape.x, line) + 0.5) / u_objects_shape;
}

vec4 placed_by_look(vec4 clip, float look) {
    if (look < 1.5 && u_deep > 0.5) clip.z = mix(clip.w, clip.z, 0.01);
    if (look > 2.5) clip.z = mix(-clip.w, clip.z, 0.01);
    return clip;
}

vec4 coloured_by_look(vec4 colour, float look) {
    if (look < 1.5) return u_ghost;
    return look > 2.5 ? vec4(u_highlight, colour.a) : colour;
}
"""

_SIZE = """
uniform vec4 u_size;         // fixed px (0: by spacing), px per unit at w = 1, least, most px
uniform vec2 u_value_size;   // px at the ends of the table of colours; 0: not by value

#if SIZED
uniform vec4 u_sizing;       // value at the start, 1 / (end - start), px at the start, at the end
#endif
#if SIZED == 1
attribute float a_size;      // of the attribute sized by; NaN: missing
#endif
#if SIZED == 2
uniform sampler2D u_sizes;   // of each object, as u_objects
#endif

float pixels_along(float value, vec2 range, vec2 pixels) {
    bool known = value <= 0.0 || value > 0.0;
    float part = clamp((value - range.x) * range.y, 0.0, 1.0);
    return mix(pixels.x, pixels.y, known ? part : 0.0);
}

float pixels_of(float spacing, float w) {
#if SIZED == 1
    return pixels_along(a_size, u_sizing.xy, u_sizing.zw);
#elif SIZED == 2
    if (a_object < 0.0) return u_sizing.z;
    return pixels_along(texture2D(u_sizes, place_of_object()).r, u_sizing.xy, u_sizing.zw);
#else
#if MODE == 1
    if (u_value_size.y > 0.0) return pixels_along(a_value, u_limits, u_value_size);
#endif
    if (u_size.x > 0.0) return u_size.x;
    return clamp(spacing * u_size.y / max(w, 1e-30), u_size.z, u_size.w);
#endif
}
"""

_POINTS = (
    _PLACE
    + _KEPT
    + _COLOUR
    + "#if OBJECTS\n"
    + _OBJECTS
    + "#endif\n"
    + _SIZE
    + """
attribute float a_spacing;   // typical distance to the next row, store units; -1: left out

#if WEIGHED
attribute float a_stands_for; // rows of level 0 a row stands for
uniform float u_adds;        // 1: colours of rows over one another are added up
#endif

uniform float u_opacity;     // of one row of level 0

varying vec4 v_colour;

void main() {
    float look = 2.0;
#if OBJECTS
    vec4 object = vec4(1.0);
    if (a_object >= 0.0) {
        object = texture2D(u_objects, place_of_object());
        look = floor((floor(object.a * 255.0 + 0.5) + 0.5) / 32.0);
    }
#endif
    if (look < 0.5 || a_spacing < 0.0 || out_of_slab(a_position, 0.5 * a_spacing)
        || behind_a_plane(a_position)) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        gl_PointSize = 0.0;
        v_colour = vec4(0.0);
        return;
    }
    gl_Position = shifted(u_matrix * (a_position - u_centre) + u_offset);
    gl_PointSize = pixels_of(a_spacing, gl_Position.w);
    float opaque = 1.0;
#if WEIGHED
    if (u_adds > 0.5) opaque = min(a_stands_for, 1.0 / u_opacity);
    else if (a_stands_for > 1.0) opaque = (1.0 - pow(1.0 - u_opacity, a_stands_for)) / u_opacity;
#endif
#if TINTED
    v_colour = vec4(tint(), opaque);
#elif BY_OBJECT
    v_colour = vec4(object.rgb, opaque);
#else
    v_colour = vec4(colour_of(a_value), opaque);
#endif
#if OBJECTS
    v_colour = coloured_by_look(v_colour, look);
    gl_Position = placed_by_look(gl_Position, look);
#endif
}
"""
)

_SQUARE = """
varying vec4 v_colour;       // a: times the layer's opacity

void main() {
    if (beside_part()) discard;
    gl_FragColor = v_colour;
}
"""

_ROUND = """
varying vec4 v_colour;

void main() {
    if (beside_part()) discard;
    vec2 from_middle = gl_PointCoord - 0.5;
    if (dot(from_middle, from_middle) > 0.25) discard;
    gl_FragColor = v_colour;
}
"""

_LINKS = (
    _PLACE
    + _COLOUR
    + _OBJECTS
    + "#if NODES\n"
    + _SIZE
    + "#endif\n"
    + """
attribute float a_level;     // position of the level the row belongs to; -1: left out

uniform mat4 u_eye;          // step from u_centre -> right, down and ahead of the camera, px

varying vec4 v_colour;       // a: far from 0 to 1 beside a row that is not drawn
varying vec4 v_position;     // as a_position: slab and planes cut between rows
varying vec3 v_eye;

void main() {
    vec4 object = texture2D(u_objects, place_of_object());
    float state = floor(object.a * 255.0 + 0.5);
    float look = floor((state + 0.5) / 32.0);
    v_position = a_position;
    if (look < 0.5 || abs(state - look * 32.0 - a_level) > 0.5) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        v_colour = vec4(0.0, 0.0, 0.0, -1e6);
        v_eye = vec3(0.0);
        return;
    }
    vec4 away = a_position - u_centre;
    gl_Position = shifted(u_matrix * away + u_offset);
    v_eye = (u_eye * away).xyz;
#if TINTED
    v_colour = vec4(tint(), 1.0);
#elif BY_OBJECT
    v_colour = vec4(object.rgb, 1.0);
#else
    v_colour = vec4(colour_of(a_value), 1.0);
#endif
#if NODES
    gl_PointSize = pixels_of(0.0, gl_Position.w);
#endif
    v_colour = coloured_by_look(v_colour, look);
    gl_Position = placed_by_look(gl_Position, look);
}
"""
)

_BETWEEN_ROWS = (
    _KEPT
    + _PART
    + """
varying vec4 v_colour;
varying vec4 v_position;

#if NODES
uniform float u_nodes;       // 1: points are drawn, not lines
#endif

bool left_out() {
#if NODES
    vec2 from_middle = gl_PointCoord - 0.5;
    if (u_nodes > 0.5 && dot(from_middle, from_middle) > 0.25) return true;
#endif
    return abs(v_colour.a - 0.5) > 1.0 || beside_part();
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
class Needs:
    """What the programs have to do beside placing and colouring rows.

    Args:
        slab: Axes are hidden.
        planes: Planes clip.
        tinted: Every page of rows has a colour of its own.
        parted: A part of the canvas is drawn only, moved sideways.
        objects: Points know their objects.
        by_object: Objects have colours of their own.
        mode: What values mean where they colour, a place in ``colours.MODES``.
        nodes: Ends of lines are drawn as points.
        sized: How large points are drawn: 0 alike, by spacing or by the value coloured by, 1 by a
            column, 2 by object.
    """

    slab: bool = False
    planes: bool = False
    tinted: bool = False
    parted: bool = False
    objects: bool = False
    by_object: bool = False
    mode: int = 0
    nodes: bool = False
    sized: int = 0

    @property
    def _defined(self) -> str:
        wanted = {
            "SLAB": self.slab,
            "PLANES": self.planes,
            "TINTED": self.tinted,
            "PARTED": self.parted,
            "OBJECTS": self.objects,
            "BY_OBJECT": self.by_object,
            "MODE": self.mode,
            "NODES": self.nodes,
            "SIZED": self.sized,
        }
        return "".join(f"#define {name} {int(on)}\n" for name, on in wanted.items())

    def points(self, *, weighed: bool = False) -> str:
        """The program of a row drawn as a point, which may stand for others."""
        return self._defined + f"#define WEIGHED {int(weighed)}\n" + _POINTS

    def point_pixels(self, *, is_round: bool) -> str:
        """The program of a pixel of a point."""
        return self._defined + _PART + (_ROUND if is_round else _SQUARE)

    def linked_rows(self) -> str:
        """The program of a row that links join."""
        return self._defined + _LINKS

    def links(self, *, shaded: bool) -> str:
        """The program of a pixel of what links join."""
        return self._defined + (_SHADED_LINKS if shaded else _PLAIN_LINKS)
