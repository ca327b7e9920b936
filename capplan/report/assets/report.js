"use strict";
(() => {
  const PAGE = 100, MOST_PRINTED = 2000, MOST_CHOICES = 500;
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const order = new Intl.Collator("en", { numeric: true });
  const amount = (text) => {
    const number = Number(text.replace(/,/g, ""));
    return text === "" || Number.isNaN(number) ? Infinity : number;
  };

  // A long table: all rows by column, of which one page stands in the document.
  function explore(box) {
    const data = JSON.parse(box.querySelector("script").textContent);
    const columns = data.columns;
    for (const column of columns) {
      column.lower = column.values.map((text) => text.toLowerCase());
      column.code = column.codes || column.values.map((_, row) => row);
    }
    const all = Int32Array.from({ length: data.count }, (_, row) => row);
    let shown = all, page = 0, sorted = -1, descending = false, chosen = new Map(), wanted = "";
    const head = box.querySelector("thead tr"), body = box.querySelector("tbody");
    const count = box.querySelector(".count"), pages = box.querySelector(".pages"), form = box.querySelector("form");

    // Ranks of a column's different texts: sorting rows then compares whole numbers.
    function ranks(column) {
      if (!column.rank) {
        const by = column.values.map((_, i) => i);
        if (column.numeric) {
          const numbers = column.values.map(amount);
          by.sort((a, b) => (numbers[a] === numbers[b] ? 0 : numbers[a] - numbers[b]));
        } else {
          by.sort((a, b) => order.compare(column.values[a], column.values[b]));
        }
        column.rank = new Int32Array(by.length);
        by.forEach((value, rank) => { column.rank[value] = rank; });
      }
      return column.rank;
    }

    function arranged() {
      const rows = Int32Array.from(all);
      if (sorted < 0) return rows;
      const column = columns[sorted], rank = ranks(column), sign = descending ? -1 : 1;
      return rows.sort((a, b) => sign * (rank[column.code[a]] - rank[column.code[b]]) || a - b);
    }
    let inOrder = all;

    function filtered() {
      const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
      // For each word and column the texts that hold it: rows are then looked up, not searched.
      const holds = words.map((word) => columns.map((column) => Uint8Array.from(column.lower, (t) => t.includes(word) ? 1 : 0)));
      const picks = [...chosen];
      return inOrder.filter((row) =>
        picks.every(([column, value]) => columns[column].code[row] === value) &&
        holds.every((each) => each.some((held, c) => held[columns[c].code[row]])));
    }

    function write(rows) {
      body.replaceChildren(...rows.map((row) => {
        const line = document.createElement("tr");
        columns.forEach((column, c) => {
          const cell = document.createElement(c ? "td" : "th");
          if (c === 0) cell.scope = "row";
          if (column.numeric) cell.className = "num";
          cell.textContent = column.values[column.code[row]];
          line.append(cell);
        });
        return line;
      }));
    }

    function show() {
      const last = Math.max(Math.ceil(shown.length / PAGE) - 1, 0);
      page = Math.min(page, last);
      write(Array.from(shown.slice(page * PAGE, (page + 1) * PAGE)));
      const of = shown.length === all.length ? "" : ` of ${all.length.toLocaleString("en")}`;
      const name = all.length === 1 ? "row" : "rows";
      count.textContent = shown.length ? `${shown.length.toLocaleString("en")}${of} ${name}` : `No row fits; ${all.length.toLocaleString("en")} in all`;
      pages.hidden = last === 0;
      where.textContent = `Page ${(page + 1).toLocaleString("en")} of ${(last + 1).toLocaleString("en")}`;
      before.disabled = first.disabled = page === 0;
      next.disabled = end.disabled = page === last;
    }
    function again() { page = 0; shown = filtered(); show(); }

    const turn = (text, label, to) => make("button", { type: "button", textContent: text, ariaLabel: label, onclick() { page = to(); show(); } });
    const first = turn("«", "First page", () => 0), before = turn("‹ Previous", "Previous page", () => page - 1);
    const next = turn("Next ›", "Next page", () => page + 1), end = turn("»", "Last page", () => Infinity);
    const where = make("span", {});
    pages.append(first, before, where, next, end);

    form.onsubmit = (event) => event.preventDefault();
    form.querySelector("input").oninput = (event) => { wanted = event.target.value; again(); };
    columns.forEach((column, c) => {
      if (!column.choose || column.values.length < 2 || column.values.length > MOST_CHOICES) return;
      const select = make("select", {}, make("option", { value: "", textContent: "all" }));
      const sortedValues = column.values.map((_, i) => i).sort((a, b) => order.compare(column.values[a], column.values[b]));
      select.append(...sortedValues.map((i) => make("option", { value: i, textContent: column.values[i] || "(blank)" })));
      select.onchange = () => { select.value === "" ? chosen.delete(c) : chosen.set(c, Number(select.value)); again(); };
      form.append(make("label", {}, column.label, select));
    });
    form.append(
      make("button", { type: "button", textContent: "Clear", onclick() { form.reset(); chosen = new Map(); wanted = ""; again(); } }),
      make("button", { type: "button", textContent: "Save these rows", onclick: save }),
    );
    form.hidden = false;

    [...head.children].forEach((cell, c) => {
      const button = make("button", { type: "button", textContent: cell.textContent });
      button.onclick = () => {
        descending = sorted === c && !descending;
        sorted = c;
        [...head.children].forEach((other) => other.removeAttribute("aria-sort"));
        cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
        inOrder = arranged();
        again();
      };
      cell.replaceChildren(button);
    });

    // The rows that are shown, on all pages, as a CSV that a spreadsheet opens and does not run.
    function save() {
      const quoted = (text, numeric) => {
        const safe = !numeric && /^[=+\-@\t\r]/.test(text) ? `'${text}` : numeric ? text.replace(/,/g, "") : text;
        return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
      };
      const lines = [columns.map((column) => quoted(column.label, false))];
      for (const row of shown) lines.push(columns.map((column) => quoted(column.values[column.code[row]], column.numeric)));
      const blob = new Blob(["\ufeff", lines.map((line) => line.join(",")).join("\r\n"), "\r\n"], { type: "text/csv" });
      const link = make("a", { href: URL.createObjectURL(blob), download: data.file });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }

    addEventListener("beforeprint", () => {
      write(Array.from(shown.slice(0, MOST_PRINTED)));
      if (shown.length > MOST_PRINTED) count.textContent = `The first ${MOST_PRINTED.toLocaleString("en")} of ${shown.length.toLocaleString("en")} rows; all of them are in ${data.file}`;
    });
    addEventListener("afterprint", show);
    show();
  }

  // One text beside the mark that is pointed at, or that was reached with the arrow keys.
  function tips() {
    const tip = document.getElementById("tip");
    let current = null;
    const hide = () => { tip.hidden = true; current?.classList.remove("current"); current = null; };
    function show(mark) {
      current?.classList.remove("current");
      current = mark;
      mark.classList.add("current");
      tip.textContent = mark.dataset.tip;
      tip.hidden = false;
      const place = mark.getBoundingClientRect(), size = tip.getBoundingClientRect();
      const left = Math.min(Math.max(place.left + place.width / 2 - size.width / 2, 4), innerWidth - size.width - 4);
      const above = place.top - size.height - 6;
      tip.style.left = `${left}px`;
      tip.style.top = `${above > 4 ? above : Math.min(place.bottom + 6, innerHeight - size.height - 4)}px`;
    }
    const markOf = (event) => event.target instanceof Element ? event.target.closest("[data-tip]") : null;
    document.addEventListener("pointerover", (event) => { const mark = markOf(event); if (mark) show(mark); });
    document.addEventListener("pointerout", (event) => { if (markOf(event)) hide(); });
    // Reaching a drawing with the keyboard scrolls to it: the text goes along.
    document.addEventListener("scroll", () => { if (current) show(current); }, { passive: true });
    for (const drawing of document.querySelectorAll("svg:has([data-tip])")) {
      const marks = [...drawing.querySelectorAll("[data-tip]")];
      drawing.setAttribute("tabindex", "0");
      drawing.addEventListener("focus", () => show(marks[0]));
      drawing.addEventListener("blur", hide);
      drawing.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") return hide();
        if (!step) return undefined;
        event.preventDefault();
        return show(marks[(marks.indexOf(current) + step + marks.length) % marks.length]);
      });
    }
  }

  function theme() {
    const root = document.documentElement;
    document.getElementById("theme").onclick = () => {
      const dark = getComputedStyle(root).colorScheme === "dark";
      root.dataset.theme = dark ? "light" : "dark";
    };
    document.getElementById("print").onclick = () => print();
    document.querySelector(".tools").hidden = false;
  }

  // What is folded away is on paper all the same.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of folded) details.open = false; });

  theme();
  tips();
  for (const box of document.querySelectorAll(".explorer")) explore(box);
})();
