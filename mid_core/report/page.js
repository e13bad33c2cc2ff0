"use strict";

// Tables that are folded on a screen are open on paper.
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll(".rows")) one.open = true;
});

/** Two pictures on a stage, and a line between them. */
function startSlider(root) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const stage = part("stage");
  const sheets = [...root.querySelectorAll(".sheet")];
  const view = { split: 50, zoom: 1, x: 0, y: 0 };

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  function draw() {
    const { width, height } = stage.getBoundingClientRect();
    view.x = clamp(view.x, (1 - view.zoom) * width, 0);
    view.y = clamp(view.y, (1 - view.zoom) * height, 0);
    stage.style.setProperty("--split", `${view.split}%`);
    stage.style.setProperty("--zoom", view.zoom);
    stage.style.setProperty("--x", `${view.x}px`);
    stage.style.setProperty("--y", `${view.y}px`);
    stage.classList.toggle("near", view.zoom > 1);
    const enlarged = (view.zoom * width) / (part("under").naturalWidth || width);
    stage.classList.toggle("pixels", enlarged >= 2);
    part("split").value = view.split;
    part("zoom").textContent = `${view.zoom}×`;
  }

  function show() {
    const figures = sheets[part("image").selectedIndex].querySelectorAll("figure");
    for (const [side, place] of [["left", "under"], ["right", "over"]]) {
      const figure = figures[part(side).selectedIndex];
      const source = figure.querySelector("img");
      const picture = part(place);
      picture.src = source.src;
      picture.alt = source.alt;
      const [width, height] = ["width", "height"].map((side) => source.getAttribute(side));
      stage.style.aspectRatio = `${width} / ${height}`;
      stage.style.width = `min(100%, calc(80vh * ${width} / ${height}))`;
      const [label, score] = figure.querySelectorAll("figcaption span");
      part(`${side}-score`).textContent = [label, score]
        .map((one) => one.textContent)
        .filter(Boolean)
        .join(": ");
    }
    draw();
  }

  /** Zoom by a factor, 0 for the whole, around a point of the stage. */
  function zoom(factor, x, y) {
    const before = view.zoom;
    view.zoom = factor ? clamp(before * factor, 1, 32) : 1;
    view.x = x - ((x - view.x) * view.zoom) / before;
    view.y = y - ((y - view.y) * view.zoom) / before;
    draw();
  }

  function zoomMiddle(factor) {
    zoom(factor, stage.clientWidth / 2, stage.clientHeight / 2);
  }

  function drag(down) {
    if (down.button !== 0) return;
    const box = stage.getBoundingClientRect();
    const { x, y } = view;
    const moves = view.zoom === 1 || down.target === part("line");
    stage.setPointerCapture(down.pointerId);
    stage.onpointermove = (now) => {
      if (moves) {
        view.split = clamp(((now.clientX - box.left) / box.width) * 100, 0, 100);
      } else {
        view.x = x + now.clientX - down.clientX;
        view.y = y + now.clientY - down.clientY;
      }
      draw();
    };
  }

  const keys = {
    "+": () => zoomMiddle(2),
    "-": () => zoomMiddle(0.5),
    0: () => zoomMiddle(0),
    ArrowLeft: () => { view.x += 40; draw(); },
    ArrowRight: () => { view.x -= 40; draw(); },
    ArrowUp: () => { view.y += 40; draw(); },
    ArrowDown: () => { view.y -= 40; draw(); },
  };

  for (const name of ["image", "left", "right"]) part(name).onchange = show;
  part("split").oninput = (event) => { view.split = Number(event.target.value); draw(); };
  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.onclick = () => zoomMiddle(Number(button.dataset.zoom));
  }
  stage.onpointerdown = drag;
  stage.onpointerup = stage.onpointercancel = () => { stage.onpointermove = null; };
  stage.onkeydown = (event) => {
    // At its whole size the picture does not move: the page does.
    if (!keys[event.key] || (view.zoom === 1 && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    keys[event.key]();
  };
  // Only once the picture was chosen: else the page could not be scrolled past it.
  stage.addEventListener("wheel", (event) => {
    if (document.activeElement !== stage && !event.ctrlKey) return;
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 2 : 0.5, event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  addEventListener("resize", draw);
  part("under").onload = draw;

  document.documentElement.classList.add("js");
  root.querySelector(".slider").hidden = false;
  show();
}

const compared = document.querySelector("#compared");
if (compared) startSlider(compared);
