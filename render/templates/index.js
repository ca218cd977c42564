"use strict";
(() => {
  const table = document.querySelector(".listing table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const form = document.querySelector(".search");
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();
  const wordsOf = (text) => plain(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  const words = new Map(rows.map((row) => [row, wordsOf(`${row.textContent} ${row.dataset.words}`)]));
  const found = (row, wanted) => wanted.every((begun) => words.get(row).some((word) => word.startsWith(begun)));

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("input").addEventListener("input", (event) => {
    const wanted = wordsOf(event.target.value);
    for (const row of rows) row.hidden = !found(row, wanted);
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").textContent = wanted.length ? `${shown} of ${rows.length}` : "";
  });

  const key = (row, place) => row.cells[place].dataset.v ?? row.cells[place].textContent;
  const compare = (a, b) => a.localeCompare(b, undefined, { numeric: true, sensitivity: "base" });

  for (const [place, cell] of [...table.tHead.rows[0].cells].entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    cell.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = cell.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((a, b) => (down ? -1 : 1) * compare(key(a, place), key(b, place)));
      body.append(...rows);
    });
  }
})();
