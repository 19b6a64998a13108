"use strict";
/* Where the viewer stands, and how mouse, fingers and wheel move them. */

function viewpoint(box, thickness) {
  const view = { azimuth: 0, elevation: 0, scale: 1, middle: [0, 0, 0], ratio: 1, thickness, thin: 0.8 };

  /* Rows: to the right, up, and toward the viewer. */
  view.rows = () => {
    const [ca, sa] = [Math.cos(view.azimuth), Math.sin(view.azimuth)];
    const [ce, se] = [Math.cos(view.elevation), Math.sin(view.elevation)];
    return [[ca, sa, 0], [-sa * se, ca * se, ce], [sa * ce, -ca * ce, se]];
  };
  view.turn = () => [0, 1, 2].flatMap((k) => view.rows().map((row) => row[k]));  // column by column

  view.fit = (width, height) => {
    const [left, bottom, right, top] = box;
    Object.assign(view, { azimuth: 0, elevation: 0 });
    view.scale = 0.94 * Math.min(width / (right - left), height / (top - bottom));
    view.middle = [(left + right) / 2, 0, (bottom + top) / 2];
  };

  /* Move what is seen by pixels, right and down. */
  view.shift = (dx, dy) => {
    const [right, up] = view.rows();
    view.middle = view.middle.map((m, k) => m - (dx * right[k] - dy * up[k]) / view.scale);
  };

  /* Zoom about a place, pixels right of and below the centre. */
  view.zoom = (factor, x = 0, y = 0) => {
    const to = Math.min(Math.max(view.scale * factor, 0.02), 200);
    view.shift(-x, -y);
    view.scale = to;
    view.shift(x, y);
  };

  view.swing = (dx, dy) => {
    view.azimuth -= dx * 0.008;
    view.elevation = Math.min(Math.max(view.elevation + dy * 0.008, -Math.PI / 2), Math.PI / 2);
  };
  return view;
}

/* Turn gestures on a canvas into moves of the view; a press without a move is a click. */
function gestures(canvas, view, changed, clicked) {
  const down = new Map();
  let moved = 0;
  const centred = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };
  const spread = () => {
    const [a, b] = [...down.values()];
    return { far: Math.hypot(a[0] - b[0], a[1] - b[1]), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    moved = down.size ? Infinity : 0;
    down.set(event.pointerId, centred(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!down.has(event.pointerId)) return;
    const from = down.get(event.pointerId), to = centred(event), before = down.size === 2 && spread();
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    moved += Math.hypot(dx, dy);
    if (moved < 4) return;
    down.set(event.pointerId, to);
    if (before) {
      const now = spread();
      view.shift(now.x - before.x, now.y - before.y);
      view.zoom(now.far / Math.max(before.far, 1), now.x, now.y);
    } else if (event.shiftKey || event.buttons === 2 || event.buttons === 4) {
      view.shift(dx, dy);
    } else {
      view.swing(dx, dy);
    }
    changed();
  });
  const up = (event) => {
    if (down.delete(event.pointerId) && event.type === "pointerup" && moved < 4) clicked(...centred(event));
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    view.zoom(Math.exp(-event.deltaY * lines * 0.0015), ...centred(event));
    changed();
  }, { passive: false });
}
