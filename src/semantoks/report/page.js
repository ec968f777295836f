// Tables that are sorted by a click on a heading and saved as CSV, and texts that can be copied.
function number(text) {
  const match = text.replace(/−/g, "-").match(/-?\d+(\.\d+)?(e-?\d+)?/i);
  return match ? Number(match[0]) : NaN;
}

function compare(a, b) {
  const x = number(a), y = number(b);
  if (Number.isNaN(x) || Number.isNaN(y)) return a.localeCompare(b);
  return x - y;
}

function sortBy(table, place, heading) {
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  const isUnknown = text => text === "" || text === "–";
  const text = row => row.cells[place]?.innerText.trim() ?? "";
  const rows = [...table.tBodies[0].rows].filter(row => row.querySelector("td"));
  rows.sort((a, b) => {
    const x = text(a), y = text(b);  // unknown ones come last, whatever the order
    return isUnknown(x) - isUnknown(y) || (ascending ? compare(x, y) : compare(y, x));
  });
  table.querySelectorAll("th").forEach(cell => cell.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  table.tBodies[0].append(...rows);
}

function csv(table) {
  const quoted = cell => {
    let text = cell.innerText.replace(/\s+/g, " ").trim().replace(/−/g, "-");
    if (/^[=@]|^[+-](?![\d.])/.test(text)) text = `'${text}`;  // no formula of a spreadsheet
    return `"${text.replace(/"/g, '""')}"`;
  };
  return [...table.rows].map(row => [...row.cells].map(quoted).join(",")).join("\r\n") + "\r\n";
}

function tool(label, place, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "tool";
  button.textContent = label;
  button.addEventListener("click", () => action(button));
  place.before(button);
}

for (const table of document.querySelectorAll("table[data-name]")) {
  const place = table.parentElement.matches(".wide") ? table.parentElement : table;
  tool("Save as CSV", place, () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff" + csv(table)], {type: "text/csv"}));
    link.download = `${table.dataset.name.replace(/[^\w.-]+/g, "_")}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  [...table.rows[0].cells].forEach((heading, column) => {
    if (!heading.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(table, column, heading));
    heading.append(button);
  });
}

for (const text of document.querySelectorAll("[data-copy]")) {
  tool("Copy", text, button => {
    const selection = getSelection();
    selection.selectAllChildren(text);
    document.execCommand("copy");  // navigator.clipboard is not there for file: in all browsers
    selection.removeAllRanges();
    button.textContent = "Copied";
  });
}
