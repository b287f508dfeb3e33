// Points are round and soft at the edge; pictures are cut from one texture and have a frame of their colour.
const POINT_VERTICES = `#version 300 es
in vec2 place; in vec4 color; in float state;
uniform vec2 middle, scale; uniform float size, wanted, opacity;
out vec4 shown;
void main() {
  bool isWanted = abs(state - wanted) < 0.5;
  gl_Position = isWanted ? vec4((place - middle) * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = size;
  shown = vec4(color.rgb, 1.0) * opacity;
}`;

const POINT_FRAGMENTS = `#version 300 es
precision highp float;
in vec4 shown; uniform float size; out vec4 result;
void main() {
  float distance = length(gl_PointCoord - 0.5) * size;
  result = shown * clamp(0.5 * size - distance + 0.25, 0.0, 1.0);
}`;

const PICTURE_VERTICES = `#version 300 es
in vec2 corner; in vec4 box; in vec2 slot; in vec4 frame;
uniform vec2 screen, part;
out vec2 at; out vec2 within; out vec4 shown; flat out vec2 half_; flat out vec2 first;
void main() {
  within = corner * box.zw;
  half_ = box.zw;
  vec2 place = (box.xy + within) / screen * 2.0 - 1.0;
  gl_Position = vec4(place.x, -place.y, 0.0, 1.0);
  first = slot;
  at = slot + (corner * 0.5 + 0.5) * part;
  shown = frame;
}`;

const PICTURE_FRAGMENTS = `#version 300 es
precision highp float;
in vec2 at; in vec2 within; in vec4 shown; flat in vec2 half_; flat in vec2 first;
uniform sampler2D pictures; uniform vec2 part, texel; uniform float border; out vec4 result;
void main() {
  vec2 left = half_ - abs(within);
  vec2 safe = clamp(at, first + 0.5 * texel, first + part - 0.5 * texel);
  vec3 picture = texture(pictures, safe).rgb;
  result = vec4(min(left.x, left.y) < border ? shown.rgb : picture, 1.0) * shown.a;
}`;
