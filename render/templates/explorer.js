"use strict";
(() => {
  const { $, $$, ready, saveCsv, csvText, unpack, add } = window.polyglot;
  const SHOWN_ROWS = 200;
  const SIDES = ["source", "target"];
  const PLACES = { source: "sourceXY", target: "targetXY" };
  const LOOKS = {
    kept: { glyph: "●", symbol: "circle", color: "@third", words: "right one nearest before and after the map" },
    found: { glyph: "◆", symbol: "diamond", color: "@accent", words: "right one nearest only after the map" },
    lost: { glyph: "▼", symbol: "triangle-down", color: "@second", words: "right one nearest only before the map" },
    missed: { glyph: "✕", symbol: "x-thin-open", color: "@faded", words: "right one not nearest" },
  };
  const TOUCH = matchMedia("(pointer: coarse)").matches;

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();

  const element = (name, text, settings = {}) => Object.assign(document.createElement(name), { textContent: text, ...settings });

  const shape = (name, settings) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
    return made;
  };

  const explore = (root, data) => {
    const count = data.row.length;
    const all = [...Array(count).keys()];
    const indexOfRow = new Map(data.row.map((row, index) => [row, index]));
    const say = (side, lang) => (name, i) => element(name, data[side][i] || `row ${data.row[i]}`, { dir: "auto", lang: data[side][i] ? lang : "en" });
    const said = { source: say("source", root.dataset.sourceLang), target: say("target", root.dataset.targetLang) };
    const plots = Object.fromEntries(SIDES.map((side) => [side, $(`[data-side="${side}"]`, root)]));
    const kinds = all.map((i) => {
      const [before, after] = [data.before[i][0] === data.row[i], data.after[i][0] === data.row[i]];
      if (after) return before ? "kept" : "found";
      return before ? "lost" : "missed";
    });
    const searchable = all.map((i) => plain(`${data.source[i]}\n${data.target[i]}`));
    let marked = null;
    let pinned = null;
    let shown = null;
    let quiet = false; // plotly reports what we clear as if the reader had

    const xs = [...data.sourceXY, ...data.targetXY, ...data.mappedXY];
    const extent = (axis) => {
      const values = xs.map((xy) => xy[axis]);
      const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
      const pad = 0.04 * (high - low || 1);
      return [low - pad, high + pad];
    };
    const axis = (direction, words) => ({ range: extent(direction), title: { text: words }, fixedrange: false, zeroline: false });

    const panelOf = (side) => ({
      height: 460,
      data: [{
        type: "scatter",
        mode: "markers",
        x: data[PLACES[side]].map((xy) => xy[0]),
        y: data[PLACES[side]].map((xy) => xy[1]),
        hoverinfo: "none",
        marker: {
          size: count > 800 ? 5.5 : 7, opacity: 0.85,
          color: kinds.map((kind) => LOOKS[kind].color),
          symbol: kinds.map((kind) => LOOKS[kind].symbol),
        },
        selected: { marker: { opacity: 1 } },
        unselected: { marker: { opacity: 0.08 } },
      }],
      layout: {
        showlegend: false,
        dragmode: TOUCH ? false : "select",
        margin: { l: 12, r: 8, t: 30, b: 12 },
        xaxis: axis(0, "first main direction"),
        yaxis: { ...axis(1, "second main direction"), scaleanchor: "x" },
        uirevision: "kept",
      },
      config: { displayModeBar: !TOUCH, modeBarButtons: [["select2d", "lasso2d", "zoom2d", "pan2d", "resetScale2d"], ["toImage"]] },
    });
    const panels = Object.fromEntries(SIDES.map((side) => [side, panelOf(side)]));

    const neighbours = (title, rows, right) => {
      const list = element("ol", "");
      for (const row of rows) {
        const index = indexOfRow.get(row);
        const item = index === undefined ? element("li", `row ${row}, not drawn`) : said.target("li", index);
        if (row === right) item.prepend(element("span", "✓ ", { className: "mark" }));
        list.append(item);
      }
      const block = element("div", "");
      block.append(element("p", title, { className: "near-title" }), list);
      return rows.length ? [block] : [];
    };

    const describe = (i) => {
      const texts = element("div", "", { className: "beside" });
      texts.append(said.source("p", i), said.target("p", i));
      const near = element("div", "", { className: "beside" });
      near.append(
        ...neighbours("nearest targets before the map", data.before[i], data.row[i]),
        ...neighbours("nearest targets after the map", data.after[i], data.row[i]),
      );
      return [texts, near];
    };

    const pointed = element("div", "", { className: "pointed", hidden: true });
    root.append(pointed);

    // Rings are drawn above the plot and not by it: a pointer moves often, and plotly would lay out anew each time.
    const layers = Object.fromEntries(SIDES.map((side) => {
      const layer = shape("svg", { class: "rings", "aria-hidden": "true" });
      plots[side].parentElement.append(layer);
      return [side, layer];
    }));

    const around = (i, at) => {
      const near = data.after[i].map((row) => indexOfRow.get(row)).filter((index) => index !== undefined && index !== i);
      const circle = ([cx, cy], r) => shape("circle", { cx, cy, r });
      const square = ([x, y]) => shape("rect", { x: x - 6, y: y - 6, width: 12, height: 12 });
      if (at.side === "source") return [circle(at(data.sourceXY[i]), 9)];
      const [from, to] = [at(data.mappedXY[i]), at(data.targetXY[i])];
      const line = shape("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1] });
      return [line, ...near.map((index) => square(at(data.targetXY[index]))), circle(from, 4), circle(to, 9)];
    };

    const rings = (i) => {
      shown = i;
      for (const side of SIDES) {
        const { xaxis, yaxis } = plots[side]._fullLayout ?? {};
        if (!xaxis) continue;
        const at = ([x, y]) => [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
        at.side = side;
        layers[side].style.top = `${plots[side].offsetTop}px`;
        layers[side].replaceChildren(...(i === null ? [] : around(i, at)));
      }
    };

    const hint = $(".reading .hint", root);
    const pin = (i) => {
      pinned = i;
      rings(i);
      $(".reading", root).replaceChildren(...(i === null ? [hint] : describe(i)));
    };

    const unpoint = () => {
      if (pointed.hidden) return;
      pointed.hidden = true;
      rings(pinned);
    };

    // The description stays over the panel that is pointed at: in the other one its rings show where to look.
    const point = (i, event, panel) => {
      rings(i);
      if (TOUCH) return;
      const area = panel.getBoundingClientRect();
      pointed.style.maxWidth = `${Math.min(416, area.width)}px`;
      pointed.replaceChildren(...describe(i));
      pointed.hidden = false;
      const { width, height } = pointed.getBoundingClientRect();
      const below = event.clientY + 20;
      const room = Math.min(innerHeight, area.bottom);
      pointed.style.left = `${Math.max(area.left, Math.min(event.clientX + 16, area.right - width))}px`;
      pointed.style.top = `${below + height <= room ? below : Math.max(area.top, event.clientY - height - 20)}px`;
    };

    const fillTable = () => {
      const rows = marked ?? all;
      $("tbody", root).replaceChildren(...rows.slice(0, SHOWN_ROWS).map((i) => {
        const line = element("tr", "");
        const cell = element("td", "", { className: "n" });
        const button = element("button", data.row[i], { type: "button", className: "link" });
        button.addEventListener("click", () => pin(i));
        cell.append(button);
        line.append(cell, said.source("td", i), said.target("td", i), element("td", LOOKS[kinds[i]].words));
        return line;
      }));
    };

    const mark = (indexes, brushed = null) => {
      marked = indexes;
      quiet = true;
      for (const side of SIDES) {
        panels[side].data[0].selectedpoints = indexes;
        if (plots[side].layout && side !== brushed) Plotly.update(plots[side], { selectedpoints: [indexes] }, { selections: [] });
      }
      quiet = false;
      const more = marked && marked.length > SHOWN_ROWS ? `, the first ${SHOWN_ROWS} in the table` : "";
      $("output", root).textContent = marked ? `${marked.length} of ${count} pairs marked${more}` : "";
      $(".clear", root).hidden = !marked;
      fillTable();
    };

    const release = (but = null) => {
      for (const button of $$(".key button", root)) if (button !== but) button.setAttribute("aria-pressed", "false");
    };

    const search = $("input", root);
    let waiting = 0;
    search.addEventListener("input", () => {
      unpoint();
      pin(null);
      release();
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        const wanted = plain(search.value.trim());
        mark(wanted ? all.filter((i) => searchable[i].includes(wanted)) : null);
      }, 120);
    });
    $(".clear", root).addEventListener("click", () => {
      clearTimeout(waiting);
      search.value = "";
      release();
      mark(null);
    });
    $("form", root).addEventListener("submit", (event) => event.preventDefault());

    $("[data-explorer-csv]", root).addEventListener("click", () => {
      const near = (rows) => csvText(rows.join(" "));
      const head = ["row", "source", "target", "found", "source x", "source y", "target x", "target y", "mapped x", "mapped y", "before", "after"];
      saveCsv(root.id, [head.map(csvText), ...(marked ?? all).map((i) => [
        data.row[i], csvText(data.source[i]), csvText(data.target[i]), csvText(kinds[i]),
        ...data.sourceXY[i], ...data.targetXY[i], ...data.mappedXY[i], near(data.before[i]), near(data.after[i]),
      ])]);
    });

    $(".key", root).replaceChildren(...Object.entries(LOOKS).filter(([kind]) => kinds.includes(kind)).map(([kind, look]) => {
      const line = element("li", "");
      const button = element("button", "", { type: "button" });
      button.setAttribute("aria-pressed", "false");
      button.append(element("b", look.glyph, { className: kind }), `${look.words} (${kinds.filter((k) => k === kind).length})`);
      button.addEventListener("click", () => {
        const pressed = button.getAttribute("aria-pressed") !== "true";
        release(button);
        button.setAttribute("aria-pressed", String(pressed));
        clearTimeout(waiting);
        search.value = "";
        pin(null);
        mark(pressed ? all.filter((i) => kinds[i] === kind) : null);
      });
      line.append(button);
      return line;
    }));
    fillTable();

    for (const side of SIDES) {
      const div = plots[side];
      panels[side].drawn = () => {
        div.on("plotly_hover", (event) => point(event.points[0].pointIndex, event.event, div));
        div.on("plotly_unhover", unpoint);
        div.on("plotly_selecting", unpoint);
        div.on("plotly_click", (event) => pin(event.points[0].pointIndex));
        div.on("plotly_selected", (event) => {
          if (quiet || !event) return;
          search.value = "";
          release();
          if (event.points.length) mark(event.points.map((p) => p.pointIndex), side);
          else mark(null);
        });
        div.on("plotly_deselect", () => { if (!quiet) mark(null); });
        div.on("plotly_afterplot", () => rings(shown));
        div.addEventListener("mouseleave", unpoint);
      };
      add(div, panels[side]);
    }
  };

  ready.then(async () => {
    const packed = document.getElementById("explorers-packed");
    if (packed) {
      const { columns, explorers } = JSON.parse(await unpack(packed.textContent));
      for (const [id, used] of Object.entries(explorers)) {
        explore(document.getElementById(id), Object.fromEntries(Object.entries(used).map(([name, place]) => [name, columns[place]])));
      }
    }
    document.documentElement.dataset.ready = "yes";
  }).catch((error) => console.error(error));
})();
