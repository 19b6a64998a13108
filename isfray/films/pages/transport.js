"use strict";
/* The clock of a film: which frame is shown, and the buttons, slider and keys that move it. */

function transport(root, times, fps, show) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const [seek, label, speed, mode, play] = ["seek", "time", "speed", "mode", "play"].map(part);
  const count = times.length, last = count - 1;
  const digits = [0, 1, 2].find((d) => times.every((t) => Math.abs(t - Number(t.toFixed(d))) < 1e-6)) ?? 3;
  const icons = { play: "M3 2v12l10-6z", pause: "M3 2h4v12H3zM9 2h4v12H9z" };
  let frame = 0, position = 0, direction = 0, before = 0, request = 0;

  const clamp = (k) => Math.min(Math.max(k, 0), last);
  const wrap = (k) => ((k % count) + count) % count;
  const time = (k) => `${times[k].toFixed(digits)} ms`;

  function place(to) {
    frame = clamp(to);
    seek.value = frame;
    seek.setAttribute("aria-valuetext", time(frame));
    label.textContent = time(frame);
    show(frame, direction);
  }

  function run(way) {
    cancelAnimationFrame(request);
    const atEnd = way > 0 ? frame === last : frame === 0;
    if (way && atEnd && mode.value === "once") place(way > 0 ? 0 : last);
    if (way && atEnd && mode.value === "reflect") way = -way;
    direction = way;
    position = frame;
    before = performance.now();
    play.setAttribute("aria-label", way ? "Pause" : "Play");
    play.querySelector("path").setAttribute("d", way ? icons.pause : icons.play);
    if (way) request = requestAnimationFrame(tick);
  }

  function tick(now) {
    const elapsed = Math.min(Math.max(now - before, 0), 250) / 1000;  // a page that slept goes on where it was
    before = now;
    position += direction * elapsed * fps * Number(speed.value);
    const beyond = position > last ? position - last : -position;
    if (position > last || position < 0) {
      if (mode.value === "once") {
        place(position);
        return run(0);
      }
      if (mode.value === "reflect") {
        position = clamp(position > last ? last - beyond : beyond);
        direction = -direction;
      } else if (beyond >= 1) {  // the last frame stays for its time
        position = wrap(position);
      }
    }
    const to = clamp(direction > 0 ? Math.floor(position) : Math.ceil(position));
    if (to !== frame) place(to);
    request = requestAnimationFrame(tick);
  }

  function jump(to) {
    run(0);
    place(to);
  }

  function choose(select, by) {
    select.selectedIndex = Math.min(Math.max(select.selectedIndex + by, 0), select.options.length - 1);
    state();
  }

  function state() {
    const step = last ? (times[last] - times[0]) / last : 0;
    const shown = step * fps * Number(speed.value);
    const round = (x) => Number(x.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
    part("factor").textContent = shown > 0 ? `1 s shows ${round(shown)} ms, ${round(1000 / shown)} times slowed` : "";
  }

  const actions = {
    first: () => jump(0),
    back: () => jump(frame - 1),
    reverse: () => run(direction < 0 ? 0 : -1),
    play: () => run(direction ? 0 : 1),
    forward: () => jump(frame + 1),
    last: () => jump(last),
  };
  for (const [name, action] of Object.entries(actions)) part(name).addEventListener("click", action);
  seek.max = last;
  seek.addEventListener("input", () => jump(Number(seek.value)));
  speed.addEventListener("change", state);

  const keys = {
    " ": actions.play, k: actions.play, r: actions.reverse, ArrowLeft: actions.back, ArrowRight: actions.forward,
    Home: actions.first, End: actions.last, "+": () => choose(speed, 1), "=": () => choose(speed, 1),
    "-": () => choose(speed, -1),
    l: () => { mode.selectedIndex = (mode.selectedIndex + 1) % mode.options.length; },
  };
  document.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const on = event.target.tagName;
    const itsOwn = on === "SELECT" || (on === "BUTTON" && key === " ")
      || (on === "INPUT" && (key === " " ? event.target.type === "checkbox" : key.length > 1));
    if (!keys[key] || itsOwn || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey && key.length > 1) return;
    event.preventDefault();
    keys[key]();
  });

  state();
  place(0);
  return { go: jump, frame: () => frame };
}
