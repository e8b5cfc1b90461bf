// A table that can be sorted and whose rows stay the same elements while their figures
// change, so that focus, selection and scrolling are not lost.

const compare = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true });
};

export class Sheet {
  #table; #columns; #key; #more;
  #heads = [];
  #sorted = null; // a column
  #descending = false;
  #bodies = new Map();
  #rows = [];

  /**
   * Columns have a title; value(row), by which they are sorted; text(row), if it is written
   * otherwise; show(cell, row), if it is no text; number, amount (zero is nothing to look at)
   * and wrap. The first one names the row.
   * key(row) tells rows apart, more(row) is a text below a row, or nothing.
   */
  constructor(table, caption, columns, key, more = () => "") {
    this.#table = table;
    this.#columns = columns;
    this.#key = key;
    this.#more = more;
    const title = table.createCaption();
    title.className = "unseen";
    title.textContent = caption;
    const head = table.createTHead().insertRow();
    for (const column of columns) {
      const cell = document.createElement("th");
      cell.scope = "col";
      if (column.number) cell.className = "number";
      if (column.value) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = column.title;
        button.addEventListener("click", () => this.#sort(column));
        cell.append(button);
      } else {
        cell.textContent = column.title;
      }
      head.append(cell);
      this.#heads.push(cell);
    }
  }

  /** show replaces all rows. */
  show(rows) {
    this.#rows = rows;
    const present = new Set(rows.map(this.#key));
    for (const [key, body] of this.#bodies) {
      if (present.has(key)) continue;
      body.remove();
      this.#bodies.delete(key);
    }
    let last = this.#table.tHead;
    for (const row of this.#order(rows)) {
      const body = this.#body(row);
      this.#fill(body, row);
      if (last.nextElementSibling !== body) last.after(body);
      last = body;
    }
  }

  /** Numbers begin with the largest. A third click gives the first order back. */
  #sort(column) {
    const first = Boolean(column.number);
    if (this.#sorted !== column) {
      this.#sorted = column;
      this.#descending = first;
    } else if (this.#descending === first) {
      this.#descending = !first;
    } else {
      this.#sorted = null;
    }
    this.#columns.forEach((other, i) => {
      if (other === this.#sorted) this.#heads[i].setAttribute("aria-sort", this.#descending ? "descending" : "ascending");
      else this.#heads[i].removeAttribute("aria-sort");
    });
    this.show(this.#rows);
  }

  #order(rows) {
    if (!this.#sorted) return rows;
    const sign = this.#descending ? -1 : 1;
    return rows.toSorted((a, b) => sign * compare(this.#sorted.value(a), this.#sorted.value(b)));
  }

  #body(row) {
    const key = this.#key(row);
    let body = this.#bodies.get(key);
    if (body) return body;
    body = document.createElement("tbody");
    const line = body.insertRow();
    this.#columns.forEach((column, i) => {
      const cell = document.createElement(i === 0 ? "th" : "td");
      if (i === 0) cell.scope = "row";
      if (column.number) cell.className = "number";
      if (column.wrap) cell.className = "wrap";
      line.append(cell);
    });
    this.#bodies.set(key, body);
    return body;
  }

  #fill(body, row) {
    this.#columns.forEach((column, i) => {
      const cell = body.rows[0].cells[i];
      if (column.show) {
        column.show(cell, row);
        return;
      }
      const text = String((column.text ?? column.value)(row));
      if (cell.textContent !== text) cell.textContent = text;
      if (column.amount) cell.classList.toggle("zero", column.value(row) === 0);
    });
    const text = this.#more(row);
    body.classList.toggle("busy", Boolean(text));
    if (!text) {
      body.rows[1]?.remove();
      return;
    }
    let line = body.rows[1];
    if (!line) {
      line = body.insertRow();
      line.className = "more";
      const cell = line.insertCell();
      cell.colSpan = this.#columns.length;
      cell.append(document.createElement("div")); // stays in sight where the table is wider than the page
    }
    line.cells[0].firstChild.textContent = text;
  }
}
