"use strict";
/* Puts the page together: the cell, its colours at the shown time, the releases, and the trace of a chosen place. */

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const part = (name) => document.querySelector(`[data-part="${name}"]`);
  const { times, sections, structures, populations, low, high, missing } = data;
  const codes = new Uint16Array(bytes(data.values)), n = data.distance.length;
  const first = sections.map((section) => section.first);
  const sectionOf = new Uint16Array(n);
  first.forEach((begin, i) => sectionOf.fill(i, begin, first[i + 1] ?? n));

  /* Geometry */
  const whole = new Int16Array(bytes(data.ends)), thick = new Float32Array(bytes(data.radius));
  const segment = new Uint16Array(bytes(data.segment)), count = segment.length;
  const [head, tail] = [0, 1].map((end) => Float32Array.from({ length: 4 * count }, (_, k) => {
    const piece = k >> 2, j = k & 3;
    return j < 3 ? whole[6 * piece + 3 * end + j] * data.step : thick[2 * piece + end];
  }));
  const kind = Float32Array.from(segment, (s) => sectionOf[s] ? 1 : 0);

  /* State */
  const canvas = document.querySelector(".cell"), view = viewpoint(data.box, data.thickness);
  const hidden = new Set(structures.flatMap(({ shown }, i) => shown ? [] : [i])), silent = new Set();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const limits = [...data.limits];
  let frame = 0, chosen = 0, fitted = false, colours = {}, table = null, pending = 0, turning = 0;

  const drawing = scene(canvas, head, tail, kind, data.reach);
  if (!drawing) part("place").textContent = "This browser has no WebGL 2, so the cell cannot be drawn.";
  const value = (k, s) => codes[k * n + s] === missing ? NaN : low + codes[k * n + s] * (high - low) / (missing - 1);
  const trace = (s) => Float64Array.from(times, (_, k) => value(k, s));
  const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

  function theme() {
    const style = getComputedStyle(document.documentElement);
    colours = Object.fromEntries(["paper", "ink", "muted", "shade", "accent"]
      .map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    table = new Uint8Array(bytes(data.maps[dark.matches ? "dark" : "light"]));
    const stops = Array.from({ length: 33 }, (_, k) => `rgb(${table.slice(24 * k, 24 * k + 3)})`);
    stops[32] = `rgb(${table.slice(-3)})`;
    document.querySelector(".colours .bar").style.background = `linear-gradient(90deg, ${stops})`;
  }

  function visible(s) {
    return !hidden.has(sections[sectionOf[s]].structure);
  }

  function paint() {
    const colour = new Uint8Array(4 * n), ink = rgb(colours.muted);
    const [dark, bright] = limits, slope = 255 / ((bright - dark) || 1);
    for (let s = 0; s < n; s++) {
      const code = codes[frame * n + s], v = low + code * (high - low) / (missing - 1);
      const k = 3 * Math.min(Math.max(Math.round((v - dark) * slope), 0), 255);
      colour.set(code === missing ? ink : table.subarray(k, k + 3), 4 * s);
      colour[4 * s + 3] = visible(s) ? 255 : 0;
    }
    const out = new Uint32Array(count), colours32 = new Uint32Array(colour.buffer);
    for (let p = 0; p < count; p++) out[p] = colours32[segment[p]];
    const painted = new Uint8Array(out.buffer);
    if (!chosen || !visible(chosen)) return [painted, null];
    const outline = new Uint8Array(4 * count), rim = [...rgb(colours.ink), 255];
    for (let p = 0; p < count; p++) if (sectionOf[segment[p]] === sectionOf[chosen]) outline.set(rim, 4 * p);
    return [painted, outline];
  }

  /* Releases, ascending in time */
  const at = new Float32Array(bytes(data.releases.time)), group = new Uint8Array(bytes(data.releases.population));
  const places = new Float32Array(bytes(data.releases.place)), fills = populations.map(({ colour }) => [...rgb(colour), 255]);

  function marks() {
    const shown = Number(part("shown").value), now = times[frame], found = [];
    for (let k = 0; k < at.length && at[k] <= now + 1e-4; k++) {
      if (at[k] > now - shown + 1e-4 && !silent.has(group[k])) found.push(k);
    }
    canvas.dataset.releases = found.length;
    return {
      head: Float32Array.from({ length: 4 * found.length }, (_, k) => places[4 * found[k >> 2] + (k & 3)]),
      paint: Uint8Array.from(found.flatMap((k) => fills[group[k]])),
      radius: Float32Array.from(found, (k) => view.ratio * (5 - 2.5 * (now - at[k]) / shown)),
    };
  }

  function scaleBar() {
    const lengths = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
    const length = lengths.findLast((um) => um * view.scale <= 150) ?? lengths[0];
    document.querySelector(".scale span").textContent = `${length} µm`;
    document.querySelector(".scale i").style.width = `${length * view.scale}px`;
  }

  function draw() {
    pending = 0;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    view.ratio = Math.min(devicePixelRatio || 1, 2);
    const size = [Math.round(width * view.ratio), Math.round(height * view.ratio)];
    if (size[0] !== canvas.width || size[1] !== canvas.height) [canvas.width, canvas.height] = size;
    if (!fitted) view.fit(width, height);
    const unit = (hex) => rgb(hex).map((c) => c / 255);
    drawing?.draw(view, ...paint(), marks(), unit(colours.paper), unit(colours.paper));
    scaleBar();
    const lines = [{ values: trace(chosen), colour: colours.accent, width: 1.6 }];
    if (chosen) lines.unshift({ values: trace(0), colour: colours.muted, width: 1 });
    plot(lines, times[frame], colours, data.unit);
    Object.assign(canvas.dataset, { frame, azimuth: view.azimuth, elevation: view.elevation, scale: view.scale });
  }

  function changed() {
    pending ||= requestAnimationFrame(draw);
  }

  function moved() {
    fitted = true;
    changed();
  }

  /* Choosing a place */
  function choose(s) {
    chosen = canvas.dataset.segment = s;
    const i = sectionOf[s], section = sections[i], k = s - first[i] + 1, last = (first[i + 1] ?? n) - first[i];
    part("section").value = i;
    const widened = section.widened === 1 ? "" : ` (${section.widened} times the reconstruction's)`;
    const where = i ? `, ${data.distance[s]} µm from the soma; grey: the soma` : "";
    part("place").textContent = `${section.name}, segment ${k} of ${last}: diameter ${data.diameter[s]} µm`
      + widened + where;
    document.querySelector(".plot").setAttribute("aria-label", `${data.label} in ${section.label} ${i}`);
    changed();
  }

  /* The segment at pixels right of and below the centre: the nearest to the viewer of those there. */
  function pick(x, y) {
    const [right, up, toward] = view.rows(), near = 4;
    let best = -1, least = Infinity;
    const see = (ends, p, row) => {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += row[k] * (ends[4 * p + k] - view.middle[k]);
      return sum * view.scale;
    };
    for (let p = 0; p < count; p++) {
      if (!visible(segment[p])) continue;
      const [ax, ay, bx, by] = [see(head, p, right), -see(head, p, up), see(tail, p, right), -see(tail, p, up)];
      const square = Math.max((bx - ax) ** 2 + (by - ay) ** 2, 1e-9);
      const t = Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square, 0), 1);
      const away = Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
      const wide = view.scale * (kind[p] ? view.thickness : 1) * (head[4 * p + 3] + t * (tail[4 * p + 3] - head[4 * p + 3]));
      const beyond = away - Math.max(wide, view.thin);
      if (beyond > near) continue;
      const order = beyond > 0 ? 1e6 + beyond : -see(head, p, toward);
      if (order < least) [best, least] = [segment[p], order];
    }
    if (best >= 0) choose(best);
  }

  /* Legend and menus */
  function toggle(box, name, colour, extra, set, key) {
    const row = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "checkbox", checked: !set.has(key) });
    input.addEventListener("change", () => {
      set[input.checked ? "delete" : "add"](key);
      changed();
    });
    row.append(input);
    if (colour) row.append(Object.assign(document.createElement("i"), { style: `background:${colour}` }));
    if (extra) row.title = `${extra} releases in this window`;
    for (const text of [name, extra]) row.append(Object.assign(document.createElement("span"), { textContent: text }));
    box.append(row);
    return input;
  }
  structures.forEach(({ label }, i) => toggle(part("structures"), label, "", "", hidden, i));
  const boxes = populations.map(({ name, colour, releases }, i) =>
    toggle(part("populations"), name, colour, String(releases), silent, i));
  for (const [name, on] of [["all", true], ["none", false]]) {
    part(name).addEventListener("click", () => boxes.forEach((box) => box.checked !== on && box.click()));
  }
  if (!populations.length) part("populations").hidden = true;
  part("shown").addEventListener("change", changed);
  part("variable").textContent = data.label;
  const ends = ["low", "high"].map(part);
  const written = () => ends.forEach((end, k) => { end.value = Number(limits[k].toPrecision(3)); });
  ends.forEach((end, k) => end.addEventListener("change", () => {
    const to = end.value === "" ? NaN : Number(end.value);
    if (k ? to > limits[0] : to < limits[1]) limits[k] = to;
    changed(written());
  }));
  part("true").addEventListener("click", () => {
    limits.splice(0, 2, ...data.limits);
    changed(written());
  });
  written();
  sections.forEach(({ label }, i) => part("section").append(new Option(i ? `${i} ${label}` : label, i)));
  part("section").addEventListener("change", (event) => {
    const i = Number(event.target.value);
    choose(first[i] + (((first[i + 1] ?? n) - first[i]) >> 1));
  });

  /* View */
  gestures(canvas, view, moved, pick);
  const home = () => {
    fitted = false;
    changed();
  };
  const spin = (before) => (now) => {
    view.azimuth += Math.min(now - before, 100) * 0.0005;
    moved();
    turning = requestAnimationFrame(spin(now));
  };
  const buttons = {
    nearer: () => moved(view.zoom(1.3)), farther: () => moved(view.zoom(1 / 1.3)), reset: home,
    turn() {
      if (turning) cancelAnimationFrame(turning);
      turning = turning ? 0 : requestAnimationFrame(spin(performance.now()));
      part("turn").setAttribute("aria-pressed", Boolean(turning));
    },
  };
  for (const [name, action] of Object.entries(buttons)) part(name).addEventListener("click", action);
  canvas.addEventListener("dblclick", home);
  canvas.setAttribute("aria-label", `${data.title}: the cell coloured by ${data.label}`);

  theme();
  dark.addEventListener("change", () => changed(theme()));
  new ResizeObserver(changed).observe(canvas);
  let player = null;
  const plot = tracePlot(document.querySelector(".plot"), times, data.limits, data.stimulus, (k) => player.go(k));
  player = transport(document.querySelector(".transport"), times, data.fps, (k) => changed(frame = k));
  choose(0);
})();
