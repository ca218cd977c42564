"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const { panels, palettes, template } = JSON.parse($("#figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const PRINTED_WIDTH = 660;
  let printing = false;

  const mode = () => (dark.matches && !printing ? "dark" : "light");

  // Colours are written as names; only under keys that hold colours is "@name" a name and not somebody's text.
  const painted = (value, palette, isColor = false) => {
    if (typeof value === "string") return isColor && value.startsWith("@") ? palette[value.slice(1)] : value;
    if (Array.isArray(value)) return value.map((item) => painted(item, palette, isColor));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, painted(item, palette, /color/i.test(key) || (isColor && !/text|title/.test(key)))]),
    );
  };

  // A plain loop: over two megabytes a callback for each letter costs most of a second.
  const bytesOf = (base64) => {
    const letters = atob(base64);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
    return bytes;
  };

  const unpack = async (packed) => {
    const stream = new Blob([bytesOf(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  const loadPlotly = async () => {
    const inside = $("#plotly-packed");
    if (!inside && document.readyState === "loading") {
      await new Promise((done) => document.addEventListener("DOMContentLoaded", done));
    }
    const packed = inside?.textContent ?? window.plotlyPacked; // inside the page, or in the file that its folder shares
    if (packed) {
      const script = document.createElement("script");
      script.textContent = await unpack(packed);
      document.head.append(script);
    }
    if (!window.Plotly) throw new Error("plotly.js did not load");
  };

  const drawn = new Map();

  // On a narrow screen titles and names of rows break between words, and an axis has few upright numbers.
  const NARROW = 480;
  const broken = (text, most) =>
    String(text).split(" ").reduce((lines, word) => {
      const last = lines.at(-1);
      return last && last.length + word.length >= most ? [...lines, word] : [...lines.slice(0, -1), last ? `${last} ${word}` : word];
    }, [""]).join("<br>");
  const fitted = (layout, width) => {
    for (const [name, axis] of width < NARROW ? Object.entries(layout) : []) {
      const listed = axis?.tickmode === "array";
      if (name.startsWith("xaxis")) {
        if (axis.title?.text) axis.title.text = broken(axis.title.text, 26);
        if (!listed) Object.assign(axis, { tickangle: 0, nticks: Math.min(axis.nticks ?? 4, 4) });
      } else if (name.startsWith("yaxis") && listed) {
        axis.ticktext = axis.ticktext.map((text) => broken(text, 20));
      }
    }
    return layout;
  };

  const layoutFor = (panel, width) => ({
    ...fitted(painted(panel.layout, palettes[mode()]), width),
    template: painted(template, palettes[mode()]),
    width,
    height: panel.height,
    autosize: false,
  });

  // Numbers that would be too small to read are left to the table.
  const legible = (trace, width) =>
    trace.type === "heatmap" && width / trace.x.length < 40 ? { ...trace, texttemplate: "" } : trace;

  const draw = (div, width = div.clientWidth) => {
    const panel = panels[div.id];
    const first = !drawn.has(div);
    drawn.set(div, `${mode()} ${width}`);
    const data = panel.data.map((trace) => legible(painted(trace, palettes[mode()]), width));
    Plotly.react(div, data, layoutFor(panel, width), {
      displaylogo: false,
      displayModeBar: false,
      ...panel.config,
    });
    if (first) panel.drawn?.();
  };

  const refresh = (div) => {
    const width = div.clientWidth;
    if (!printing && width > 0 && drawn.get(div) !== `${mode()} ${width}`) draw(div);
  };

  const save = (name, blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  // A spreadsheet runs a cell that begins with one of these; an apostrophe keeps the text a text.
  const csvText = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const saveCsv = (name, rows) =>
    save(`${name}.csv`, new Blob(["\ufeff", rows.map((row) => row.join(",")).join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" }));
  const csvOf = (table) =>
    $$("tr", table).map((row) => [...row.cells].map((cell) => cell.dataset.v ?? csvText(cell.textContent)));

  const saveImages = async (figure, format) => {
    for (const div of $$(".plot", figure)) {
      const panel = panels[div.id];
      const layout = painted(panel.layout, palettes.light);
      const look = painted(template, palettes.light);
      // What leaves the page says what it is: the figure's title, then page and program.
      const { title, height } = painted(panel.heading, palettes.light);
      const margin = { ...look.layout.margin, ...layout.margin };
      const headed = { ...layout, title, margin: { ...margin, t: margin.t + height } };
      const image = { data: painted(panel.data, palettes.light), layout: { ...headed, template: look, paper_bgcolor: "#fff" } };
      const url = await Plotly.toImage(image, { format, width: 720, height: panel.height + height, scale: format === "png" ? 3 : 1 });
      const body = format === "svg" ? new Blob([decodeURIComponent(url.slice(url.indexOf(",") + 1))], { type: "image/svg+xml" })
        : new Blob([bytesOf(url.split(",")[1])], { type: "image/png" });
      save(`${div.id.replace(/-plot$/, "")}.${format}`, body);
    }
  };

  const show = (tab) => {
    for (const other of $$('[role="tab"]')) {
      const selected = other === tab;
      other.setAttribute("aria-selected", String(selected));
      other.tabIndex = selected ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !selected;
    }
  };

  const tabs = $$('[role="tab"]');
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(place + step + tabs.length) % tabs.length];
      show(next);
      next.focus();
    });
  }
  if (tabs.length) show(tabs[0]);

  for (const button of navigator.clipboard ? $$("[data-copy]") : []) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText($("code", button.parentElement).textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  for (const button of $$("[data-csv]")) {
    button.addEventListener("click", () => saveCsv(button.dataset.csv.replace(/-table$/, ""), csvOf(document.getElementById(button.dataset.csv))));
  }
  for (const button of $$("[data-image]")) {
    button.addEventListener("click", () => saveImages(document.getElementById(button.dataset.figure), button.dataset.image));
  }

  for (const link of $$(".method a, [data-open]")) {
    link.addEventListener("click", () => { document.getElementById(link.dataset.open ?? "method").open = true; });
  }

  const plots = () => $$(".plot").filter((div) => panels[div.id]);

  // What is closed on the screen stays closed on paper: opened, all tables would fill dozens of pages.
  addEventListener("beforeprint", () => {
    printing = true;
    if (!window.Plotly) return;
    for (const div of plots().filter((div) => !div.closest("details:not([open])"))) {
      const beside = $$(".plot", div.closest(".panels")).length;
      draw(div, Math.floor((PRINTED_WIDTH - 16 * (beside - 1)) / beside));
    }
  });
  addEventListener("afterprint", () => {
    printing = false;
    plots().forEach(refresh);
  });

  // One figure at a time, those in sight first, so that the page can be scrolled while the others are drawn.
  const waiting = new Set();
  const inSight = (div) => {
    const { top, bottom } = div.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  const drawNext = () => {
    const next = [...waiting].find(inSight) ?? waiting.values().next().value;
    waiting.delete(next);
    if (waiting.size) setTimeout(drawNext);
    refresh(next);
  };
  const sizes = new ResizeObserver((entries) => {
    const idle = !waiting.size;
    for (const { target } of entries) waiting.add(target);
    if (idle) drawNext();
  });

  const add = (div, panel) => {
    panels[div.id] = panel;
    sizes.observe(div);
  };

  const ready = loadPlotly().then(() => {
    plots().forEach((div) => sizes.observe(div));
    dark.addEventListener("change", () => plots().forEach(refresh));
  });
  ready.catch((error) => {
    const beside = $("script[src]")?.getAttribute("src");
    for (const div of $$(".plot")) {
      div.style.height = "auto";
      div.textContent = beside ? `This figure is drawn by ${beside}, which is not beside the page; its numbers are in the table below.`
        : "This browser could not draw the figure; its numbers are in the table below.";
    }
    console.error(error);
  });

  window.polyglot = { $, $$, add, csvText, draw, mode, painted, palettes, ready, saveCsv, unpack };
})();
