"use strict";
/* A variable over time at one place, on a plain canvas, with a cursor that can be dragged. */

function nice(low, high, about) {
  const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((k) => k * power >= raw);
  const out = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-9 * step; k++) out.push(Number((k * step).toPrecision(12)));
  return out;
}

function tracePlot(canvas, times, [low, high], stimulus, seek) {
  const context = canvas.getContext("2d"), first = times[0], last = times.at(-1);
  const edge = { left: 58, right: 12, top: 8, bottom: 34 };
  const span = Math.max(last - first, 1e-9);
  let width = 1, height = 1;
  const column = (t) => edge.left + (t - first) / span * (width - edge.left - edge.right);
  const pad = 0.05 * (high - low);
  const row = (v) => edge.top + (high + pad - v) / (high - low + 2 * pad) * (height - edge.top - edge.bottom);

  function line(values, colour, thick) {
    context.beginPath();
    context.strokeStyle = colour;
    context.lineWidth = thick;
    let open = false;
    values.forEach((v, k) => {
      if (Number.isNaN(v)) open = false;
      else if (open) context.lineTo(column(times[k]), row(v));
      else {
        context.moveTo(column(times[k]), row(v));
        open = true;
      }
    });
    context.stroke();
  }

  function upright(t, colour, dashes) {
    context.beginPath();
    context.setLineDash(dashes);
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.moveTo(column(t), edge.top);
    context.lineTo(column(t), height - edge.bottom);
    context.stroke();
    context.setLineDash([]);
  }

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const t = first + (event.clientX - box.left - edge.left) / (box.width - edge.left - edge.right) * span;
    seek(times.reduce((best, x, k) => Math.abs(x - t) < Math.abs(times[best] - t) ? k : best, 0));
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    at(event);
  });
  canvas.addEventListener("pointermove", (event) => event.buttons && at(event));

  /* lines: [{values, colour, width}], colours: {ink, muted}, unit of the values. */
  return function draw(lines, now, colours, unit) {
    const ratio = devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    [width, height] = [box.width, box.height];
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = context.strokeStyle = colours.ink;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(edge.left, edge.top);
    context.lineTo(edge.left, height - edge.bottom);
    context.lineTo(width - edge.right, height - edge.bottom);
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const t of nice(first, last, Math.max(2, width / 110))) {
      context.moveTo(column(t), height - edge.bottom);
      context.lineTo(column(t), height - edge.bottom + 4);
      context.fillText(String(t), column(t), height - edge.bottom + 6);
    }
    context.fillText("Time (ms)", (edge.left + width - edge.right) / 2, height - 13);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const v of nice(low, high, 3)) {
      context.moveTo(edge.left - 4, row(v));
      context.lineTo(edge.left, row(v));
      context.fillText(String(v).replace("-", "\u2212"), edge.left - 7, row(v));
    }
    context.stroke();
    context.save();
    context.translate(11, (edge.top + height - edge.bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(unit, 0, 0);
    context.restore();
    if (stimulus !== null && stimulus >= first && stimulus <= last) upright(stimulus, colours.muted, [4, 3]);
    for (const { values, colour, width: thick } of lines) line(values, colour, thick);
    upright(now, colours.ink, []);
  };
}
