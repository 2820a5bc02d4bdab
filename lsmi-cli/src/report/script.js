"use strict";
// Sorting and filtering of tables; the page says all it has to say without this.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    header.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const rows = [...body.rows];
      const before = header.getAttribute("aria-sort");
      // Numbers begin with the highest, words with the first.
      const numeric = rows.length > 0 && typeof key(rows[0], column) === "number";
      const next = before === "none" ? (numeric ? "descending" : "ascending") : before === "ascending" ? "descending" : "ascending";
      for (const other of headers) other.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      rows.sort((a, b) => sign * compare(key(a, column), key(b, column)));
      body.append(...rows);
    });
  });
}
for (const controls of document.querySelectorAll(".controls")) {
  controls.hidden = false;
  const [search, select, output] = ["input", "select", "output"].map((name) => controls.querySelector(name));
  const rows = [...document.getElementById(search.dataset.table).tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = select ? select.value : "";
    let shown = 0;
    rows.forEach((row, place) => {
      row.hidden = !words.every((word) => texts[place].includes(word)) || (kind !== "" && row.dataset.kind !== kind);
      if (!row.hidden) shown += 1;
    });
    output.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} shown`;
  };
  search.addEventListener("input", filter);
  if (select) select.addEventListener("change", filter);
}
