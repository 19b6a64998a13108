"use strict";
/* Draws the frames of a film; only those around the shown one are kept decoded. */

(() => {
  const film = JSON.parse(document.getElementById("data").textContent);
  const canvas = document.querySelector("canvas"), context = canvas.getContext("2d");
  const count = film.frames.length, near = 8;
  const decoded = new Map();
  let asked = 0, drawn = 0;

  function picture(k) {
    if (!decoded.has(k)) {
      const bytes = Uint8Array.from(atob(film.frames[k]), (c) => c.charCodeAt(0));
      decoded.set(k, createImageBitmap(new Blob([bytes], { type: film.mime })));
    }
    return decoded.get(k);
  }

  function forget(k) {
    for (const [other, image] of decoded) {
      const apart = Math.abs(other - k);
      if (Math.min(apart, count - apart) > near) {
        decoded.delete(other);
        image.then((bitmap) => bitmap.close());
      }
    }
  }

  async function show(k, direction) {
    const turn = ++asked;
    const image = picture(k);
    for (let ahead = 1; direction && ahead < near; ahead++) picture((((k + direction * ahead) % count) + count) % count);
    const bitmap = await image;
    if (turn < drawn) return;  // a later one was quicker
    drawn = turn;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    canvas.dataset.frame = k;
    canvas.setAttribute("aria-label", `${film.title}, ${film.times[k]} ms`);
    forget(k);
  }

  transport(document.querySelector(".transport"), film.times, film.fps, show);
})();
