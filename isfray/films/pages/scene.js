"use strict";
/* The cell in space: round-ended cones and discs without perspective, drawn by WebGL. Lengths are um, sizes on the
   picture pixels. Coordinates are across, away from the viewer, up; see `Camera` for the same view in Python. */

const CONES = `#version 300 es
uniform mat3 turn; uniform vec3 middle; uniform vec2 size; uniform float scale, depth, thickness, thin, grow;
in vec2 corner; in vec4 head, tail; in vec4 paint; in float kind;
out vec2 at; out vec3 colour; flat out vec4 ends; flat out vec4 shape; flat out float light;
void main() {
  vec3 a = turn * (head.xyz - middle) * scale, b = turn * (tail.xyz - middle) * scale;
  float thicker = kind < 0.5 ? 1.0 : thickness;
  vec2 r = max(vec2(head.w, tail.w) * scale * thicker, vec2(thin)) + grow;
  vec2 along = b.xy - a.xy;
  along = length(along) > 1e-3 ? normalize(along) : vec2(1, 0);
  float reach = max(r.x, r.y) + 1.0;
  at = (corner.x < 0.0 ? a.xy : b.xy) + reach * (corner.x * along + corner.y * vec2(-along.y, along.x));
  gl_Position = vec4(paint.a > 0.0 ? 2.0 * at / size : vec2(9), 0, 1);
  colour = paint.rgb;
  ends = vec4(a.xy, b.xy);
  shape = vec4(r, a.z, b.z);
  light = grow > 0.0 ? 0.0 : 0.25;
}`;

const CONE_PIXELS = `#version 300 es
precision highp float;
uniform float depth, scale, grow, least;
in vec2 at; in vec3 colour; flat in vec4 ends; flat in vec4 shape; flat in float light;
out vec4 pixel;
void main() {
  vec2 axis = ends.zw - ends.xy;
  float t = clamp(dot(at - ends.xy, axis) / max(dot(axis, axis), 1e-6), 0.0, 1.0);
  float r = mix(shape.x, shape.y, t), away = length(at - mix(ends.xy, ends.zw, t));
  float cover = clamp(r + 0.5 - away, 0.0, 1.0), f = min(away / r, 1.0);
  if (cover <= least) discard;
  float near = mix(shape.z, shape.w, t) + (grow > 0.0 ? -r : r * sqrt(1.0 - f * f));
  gl_FragDepth = 0.5 - 0.5 * near / (depth * scale);
  pixel = vec4(colour * (1.0 - light * f * f * clamp((r - 1.5) / 2.0, 0.0, 1.0)), cover);
}`;

const DISCS = `#version 300 es
uniform mat3 turn; uniform vec3 middle; uniform vec2 size; uniform float scale, depth, thickness;
in vec2 corner; in vec4 head; in vec4 paint; in float radius;
out vec2 at; flat out vec3 colour; flat out float edge, near;
void main() {
  vec3 a = turn * (head.xyz - middle) * scale;
  at = corner * (radius + 2.0);
  gl_Position = vec4(2.0 * (a.xy + at) / size, 0, 1);
  colour = paint.rgb;
  edge = radius;
  near = 0.5 - 0.5 * (a.z + (head.w * thickness + 1.0) * scale) / (depth * scale);
}`;

const DISC_PIXELS = `#version 300 es
precision highp float;
uniform vec3 rim; uniform float least;
in vec2 at; flat in vec3 colour; flat in float edge, near;
out vec4 pixel;
void main() {
  float away = length(at), cover = clamp(edge + 1.5 - away, 0.0, 1.0);
  if (cover <= least) discard;
  gl_FragDepth = clamp(near, 0.0, 1.0);
  pixel = vec4(mix(rim, colour, clamp(edge + 0.5 - away, 0.0, 1.0)), cover);
}`;

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  const uniforms = {}, count = gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS);
  for (let k = 0; k < count; k++) {
    const { name, type } = gl.getActiveUniform(made, k), where = gl.getUniformLocation(made, name);
    uniforms[name] = (value) => ({
      [gl.FLOAT]: () => gl.uniform1f(where, value), [gl.FLOAT_VEC2]: () => gl.uniform2fv(where, value),
      [gl.FLOAT_VEC3]: () => gl.uniform3fv(where, value), [gl.FLOAT_MAT3]: () => gl.uniformMatrix3fv(where, false, value),
    })[type]();
  }
  return { made, uniforms };
}

/* A set of things drawn as quads, each with attributes {name: [size, type, normalised]} in buffers of their own. */
function instances(gl, { made, uniforms }, attributes) {
  const array = gl.createVertexArray(), buffers = {};
  gl.bindVertexArray(array);
  const attach = (name, size, type, normalised, divisor) => {
    const where = gl.getAttribLocation(made, name);
    buffers[name] = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.enableVertexAttribArray(where);
    gl.vertexAttribPointer(where, size, type, normalised, 0, 0);
    gl.vertexAttribDivisor(where, divisor);
  };
  attach("corner", 2, gl.FLOAT, false, 0);
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
  for (const [name, [size, type, normalised]] of Object.entries(attributes)) attach(name, size, type, normalised, 1);
  return {
    fill(name, data) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    },
    draw(count, values) {
      gl.useProgram(made);
      for (const [name, value] of Object.entries(values)) uniforms[name]?.(value);
      gl.bindVertexArray(array);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
    },
  };
}

/* head, tail: x, y, z, radius of every piece; kind: 0 for the soma; reach: how far the cell extends. */
function scene(canvas, head, tail, kind, reach) {
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: true });
  if (!gl) return null;
  const cone = { head: [4, gl.FLOAT], tail: [4, gl.FLOAT], paint: [4, gl.UNSIGNED_BYTE, true], kind: [1, gl.FLOAT] };
  const cones = instances(gl, program(gl, CONES, CONE_PIXELS), cone);
  const disc = { head: [4, gl.FLOAT], paint: [4, gl.UNSIGNED_BYTE, true], radius: [1, gl.FLOAT] };
  const discs = instances(gl, program(gl, DISCS, DISC_PIXELS), disc);
  cones.fill("head", head);
  cones.fill("tail", tail);
  cones.fill("kind", kind);
  const smooth = gl.getParameter(gl.SAMPLES) > 1;
  gl.enable(gl.DEPTH_TEST);
  if (smooth) gl.enable(gl.SAMPLE_ALPHA_TO_COVERAGE);

  return {
    /* paint: RGBA of every piece (A 0: not drawn); chosen: the same for the outline; marks: {head, paint, radius}. */
    draw(view, paint, chosen, marks, paper, rim) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(...paper, 1);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      const common = {
        turn: view.turn(), middle: view.middle, scale: view.scale * view.ratio, depth: reach, rim,
        size: [canvas.width, canvas.height], thickness: view.thickness, least: smooth ? 0.02 : 0.5,
        thin: view.thin * view.ratio,
      };
      if (chosen) {
        cones.fill("paint", chosen);
        cones.draw(kind.length, { ...common, grow: 2.5 * view.ratio });
      }
      cones.fill("paint", paint);
      cones.draw(kind.length, { ...common, grow: 0 });
      for (const name of ["head", "paint", "radius"]) discs.fill(name, marks[name]);
      if (marks.radius.length) discs.draw(marks.radius.length, common);
    },
  };
}
