"use strict";
(() => {
  const packed = document.getElementById("heroes");
  if (!packed) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const NEAR = 16; // pixels of the picture between the pointer and a pair
  const LASTS = 800; // milliseconds

  const dots = (places) => places.map(([x, y]) => `M${x},${y}h0`).join("");
  const line = ([x, y], [u, v]) => `M${x},${y}L${u},${v}`;
  const between = (from, to, share) => from.map(([x, y], i) => [x + share * (to[i][0] - x), y + share * (to[i][1] - y)]);
  const percent = (share) => `${Math.round(100 * share)}\u202f%`;
  const smooth = (share) => (share < 0.5 ? 4 * share ** 3 : 1 - (2 - 2 * share) ** 3 / 2);

  const distance = ([px, py], [x, y], [u, v]) => {
    const [dx, dy] = [u - x, v - y];
    const along = Math.max(0, Math.min(1, ((px - x) * dx + (py - y) * dy) / (dx * dx + dy * dy || 1)));
    return Math.hypot(px - x - along * dx, py - y - along * dy);
  };

  const start = (root, hero) => {
    const { frames, targets, joined } = hero;
    const pictures = [...root.querySelectorAll("svg")];
    const output = root.querySelector("output");
    const words = root.querySelector(".pair-text");
    const legend = [...words.childNodes];
    const radios = [...root.querySelectorAll("input")];
    const moving = () => pictures[still.matches ? 1 : 0];
    let chosen = 0;
    let places = frames[0].sources;
    let running = 0;
    let shown = null;

    const paint = (picture, sources, found) => {
      const put = (name, path) => picture.querySelector(name).setAttribute("d", path);
      const lines = (hit) => sources.slice(0, joined).map((place, i) => (Boolean(found[i]) === hit ? line(place, targets[i]) : "")).join("");
      put(".cloud.sources", dots(sources.slice(joined)));
      put(".sources:not(.cloud)", dots(sources.slice(0, joined)));
      put(".found", lines(true));
      put(".missed", lines(false));
    };

    const say = (share, limits) => {
      output.querySelector("b").textContent = percent(share);
      output.querySelector("small").textContent = limits;
    };

    const mark = (i) => {
      shown = i;
      moving().querySelector(".shown").setAttribute("d", i === null ? "" : line(places[i], targets[i]));
      if (i === null || !hero.texts[i]) {
        words.replaceChildren(...legend);
        return;
      }
      words.replaceChildren(...hero.texts[i].map((text, side) => {
        const said = document.createElement("span");
        said.className = side ? "is-target" : "is-source";
        said.dir = "auto";
        said.lang = root.dataset[side ? "targetLang" : "sourceLang"];
        said.textContent = text;
        return said;
      }));
    };

    const besides = (i) => {
      root.querySelectorAll(".still-name")[1].textContent = `${frames[i].name}: ${percent(frames[i].share)} found first`;
      paint(pictures[1], frames[i].sources, frames[i].found);
    };

    const settle = () => {
      places = frames[chosen].sources;
      paint(moving(), places, frames[chosen].found);
      say(frames[chosen].share, frames[chosen].limits);
      if (shown !== null) mark(shown);
    };

    const move = (to) => {
      cancelAnimationFrame(running);
      const [from, before, began] = [places, frames[chosen].share, performance.now()];
      chosen = to;
      mark(null);
      if (still.matches) {
        besides(to);
        settle();
        return;
      }
      const step = (now) => {
        const share = Math.min(1, Math.max(0, (now - began) / LASTS));
        if (share === 1) {
          settle();
          return;
        }
        const eased = smooth(share);
        places = between(from, frames[to].sources, eased);
        paint(moving(), places, frames[to].found);
        say(before + eased * (frames[to].share - before), "");
        running = requestAnimationFrame(step);
      };
      running = requestAnimationFrame(step);
    };

    const begin = () => {
      cancelAnimationFrame(running);
      chosen = still.matches ? hero.best : 0;
      radios[chosen].checked = true;
      paint(pictures[0], frames[0].sources, frames[0].found);
      besides(hero.best);
      settle();
    };

    for (const radio of radios) radio.addEventListener("change", () => move(Number(radio.value)));
    for (const picture of pictures) {
      const nearest = (event) => {
        const box = picture.getBoundingClientRect();
        const { width, height } = picture.viewBox.baseVal;
        const at = [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
        let [best, far] = [null, NEAR];
        for (let i = 0; i < joined; i += 1) {
          const away = distance(at, places[i], targets[i]);
          if (away < far) [best, far] = [i, away];
        }
        return best;
      };
      picture.addEventListener("pointermove", (event) => { if (picture === moving()) mark(nearest(event)); });
      picture.addEventListener("pointerdown", (event) => { if (picture === moving()) mark(nearest(event)); });
      picture.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") mark(null); });
      picture.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") mark(null);
        if (!step || picture !== moving()) return;
        event.preventDefault();
        mark(shown === null ? (step > 0 ? 0 : joined - 1) : (shown + step + joined) % joined);
      });
      picture.addEventListener("blur", () => mark(null));
    }
    still.addEventListener("change", begin);
    addEventListener("beforeprint", () => {
      cancelAnimationFrame(running);
      paint(pictures[0], frames[0].sources, frames[0].found);
      besides(hero.best);
    });
    addEventListener("afterprint", () => {
      besides(still.matches ? chosen : hero.best);
      settle();
    });
    begin();
  };

  for (const [id, hero] of Object.entries(JSON.parse(packed.textContent))) start(document.getElementById(id), hero);
})();
