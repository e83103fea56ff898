"use strict";
// Explores the circuits of a page: a point, a row or a link chooses one, and its panel is shown. All that is shown is
// in the page already and can be read without this script, which only hides, marks and moves it. What is chosen stands
// in the address, as #circuit&axis=...&without=...&source=...&run=..., so that a link opens the same.
(() => {
  const NEAR = 28; // CSS pixels between pointer and point within which the point is meant
  const beside = matchMedia("(min-width: 1080px)"); // as in explore.css: panels stand beside the table, not above it
  const circuits = JSON.parse(document.getElementById("circuits").textContent);

  class Explorer {
    constructor(root) {
      this.root = root;
      this.parts = new Map();
      for (const part of this.all("[data-of]")) {
        const key = part.dataset.of;
        this.parts.set(key, [...(this.parts.get(key) ?? []), part]);
      }
      this.panels = this.one(".panels");
      this.chosen = root.dataset.first;
      this.arrange();
      this.listenToPlots();
      this.listenToRows();
      this.listenToControls();
      this.refresh();
    }

    one(selector) {
      return this.root.querySelector(selector);
    }

    all(selector) {
      return [...this.root.querySelectorAll(selector)];
    }

    // What is read first stands first: the panel before the table, for eyes and for the keyboard.
    arrange() {
      this.one(".listed").before(this.panels);
      this.panels.tabIndex = -1;
      for (const plot of this.all(".axis-plot > svg")) {
        const ring = document.createElementNS(plot.namespaceURI, "circle");
        ring.setAttribute("class", "ring");
        ring.setAttribute("r", "11");
        plot.append(ring);
      }
    }

    get axis() {
      return this.one("input[type=radio]:checked")?.value ?? this.one(".axis-plot").dataset.axis;
    }

    get plot() {
      return this.all(".axis-plot").find((box) => box.dataset.axis === this.axis).firstElementChild;
    }

    // Points of the plot that is shown, from left to right; of equal ones the higher first.
    get points() {
      const points = [...this.plot.querySelectorAll("a.mark:not(.out)")];
      return points.sort((a, b) => a.dataset.x - b.dataset.x || a.dataset.y - b.dataset.y);
    }

    get without() {
      return this.all("input[name=series]:not(:checked)").map((box) => box.value);
    }

    picked(name) {
      return this.one(`select[name=${name}]`)?.value ?? "";
    }

    listenToPlots() {
      for (const plot of this.all(".axis-plot > svg")) {
        plot.addEventListener("pointermove", (event) => {
          if (event.pointerType !== "touch") this.preview(this.nearest(event));
        });
        plot.addEventListener("pointerleave", () => this.preview(null));
        plot.addEventListener("click", (event) => this.clicked(event));
        plot.addEventListener("keydown", (event) => this.walked(event));
        plot.addEventListener("focusin", (event) => this.choose(event.target.closest("a.mark")?.dataset.of));
      }
    }

    clicked(event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      const key = event.detail ? this.nearest(event) : event.target.closest("a.mark")?.dataset.of;
      event.preventDefault();
      event.stopPropagation();
      this.choose(key, { remember: true });
    }

    walked(event) {
      const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -Infinity, End: Infinity };
      if (!(event.key in steps)) return;
      event.preventDefault();
      this.step(steps[event.key])?.focus();
    }

    // The point so many places further along the axis; chosen at once.
    step(places) {
      const points = this.points;
      const from = points.findIndex((point) => point.dataset.of === this.chosen);
      const point = points[Math.min(points.length - 1, Math.max(0, from + places))];
      this.choose(point?.dataset.of);
      return point;
    }

    nearest(event) {
      const matrix = this.plot.getScreenCTM();
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
      const away = (point) => Math.hypot(point.dataset.x - at.x, point.dataset.y - at.y);
      const [first] = this.points.sort((a, b) => away(a) - away(b));
      return first && away(first) < NEAR / matrix.a ? first.dataset.of : null;
    }

    listenToRows() {
      for (const row of this.all("tr[data-of]")) {
        const key = row.dataset.of;
        row.addEventListener("pointerenter", (event) => {
          if (event.pointerType !== "touch") this.glance(key);
        });
        row.addEventListener("pointerleave", () => this.glance(null));
        row.addEventListener("focusin", () => this.glance(key));
        row.addEventListener("focusout", () => this.glance(null));
        row.addEventListener("click", (event) => {
          if (!event.target.closest("a") && !String(getSelection())) this.choose(key, { remember: true, reveal: true });
        });
      }
    }

    listenToControls() {
      for (const control of this.all(".controls input, .controls select, input[name=series]")) {
        control.addEventListener("change", () => this.refresh({ write: true }));
      }
      this.one("button[name=reset]").addEventListener("click", () => {
        this.restore({ key: this.chosen, axis: this.axis });
        this.refresh({ write: true });
      });
      this.one("button[name=previous]").addEventListener("click", () => this.step(-1));
      this.one("button[name=next]").addEventListener("click", () => this.step(1));
      for (const summary of this.all(".panel > summary")) {
        summary.addEventListener("click", (event) => event.preventDefault());
        summary.tabIndex = -1;
      }
    }

    // Shows a circuit for as long as the pointer or the focus is on it; null returns to the chosen one.
    preview(key) {
      this.show(key ?? this.chosen);
    }

    // The same from a row. A panel above the table would move the row away from under the pointer, and its click.
    glance(key) {
      if (beside.matches) this.preview(key);
    }

    choose(key, { remember = false, reveal = false } = {}) {
      if (!this.parts.has(key)) return;
      const changed = key !== this.chosen;
      this.chosen = key;
      this.show(key);
      write(this, remember && changed);
      if (reveal) this.reveal();
    }

    reveal() {
      const { top, bottom } = this.panels.getBoundingClientRect();
      if (bottom < 160 || top > innerHeight - 160 || top < -innerHeight) this.panels.scrollIntoView();
    }

    show(key) {
      for (const [other, parts] of this.parts) {
        for (const part of parts) this.mark(part, other === key, other === this.chosen);
      }
      for (const plot of this.all(".axis-plot > svg")) {
        const point = (this.parts.get(key) ?? []).find((part) => plot.contains(part) && !part.matches(".out"));
        const ring = plot.lastElementChild;
        ring.classList.toggle("on", Boolean(point));
        if (point) ring.setAttribute("transform", `translate(${point.dataset.x} ${point.dataset.y})`);
      }
      this.tell(key);
    }

    mark(part, shown, chosen) {
      part.classList.toggle("on", shown);
      if (part.matches(".panel")) {
        part.open = shown;
        return;
      }
      if (chosen) part.setAttribute("aria-current", "true");
      else part.removeAttribute("aria-current");
      if (part.matches("a.mark")) part.tabIndex = chosen ? 0 : -1;
    }

    tell(key) {
      const points = this.points;
      const shown = [...this.parts.keys()].filter((other) => this.passes(other)).length;
      const filtered = shown < this.parts.size ? ` · ${shown} of ${this.parts.size} circuits shown` : "";
      const place = points.findIndex((point) => point.dataset.of === key);
      const title = this.parts.get(key).find((part) => part.matches(".panel")).querySelector("strong").textContent;
      this.one(".told").textContent = `${title}: ${circuits[key].words}${filtered}`;
      this.one(".place").textContent = place < 0 ? "not in this picture" : `${place + 1} of ${points.length}`;
      // Where nothing of the plot is chosen, the first point lets the keyboard in.
      if (points.length && !points.some((point) => point.tabIndex === 0)) points[0].tabIndex = 0;
    }

    passes(key) {
      const own = circuits[key];
      const source = this.picked("source");
      const run = this.picked("run");
      const wanted = !this.without.includes(own.series);
      return wanted && (!source || own.sources.includes(source)) && (!run || own.run === run);
    }

    refresh({ write: written = false } = {}) {
      for (const box of this.all(".axis-plot")) box.classList.toggle("on", box.dataset.axis === this.axis);
      for (const [key, parts] of this.parts) {
        const out = !this.passes(key);
        for (const part of parts) if (!part.matches(".panel")) part.classList.toggle("out", out);
      }
      const narrowed = Boolean(this.picked("source") || this.picked("run"));
      // Lines and means stand for circuits of which some may be filtered out.
      for (const part of this.all("[data-series]:not([data-of])")) {
        part.classList.toggle("out", narrowed || this.without.includes(part.dataset.series));
      }
      this.one("button[name=reset]").disabled = !narrowed && !this.without.length;
      this.show(this.chosen);
      if (written) write(this, false);
    }

    restore({ key, axis, without = "", source = "", run = "" }) {
      const hidden = without.split(".");
      for (const box of this.all("input[name=series]")) box.checked = !hidden.includes(box.value);
      const known = this.all("input[type=radio]").some((radio) => radio.value === axis);
      for (const radio of this.all("input[type=radio]")) {
        radio.checked = known ? radio.value === axis : radio.defaultChecked;
      }
      for (const [name, value] of Object.entries({ source, run })) {
        const select = this.one(`select[name=${name}]`);
        if (select) select.value = [...select.options].some((option) => option.value === value) ? value : "";
      }
      this.chosen = key;
      this.refresh();
    }

    get address() {
      const settings = new URLSearchParams();
      const usual = this.one("input[type=radio]")?.value;
      if (usual && this.axis !== usual) settings.set("axis", this.axis);
      if (this.without.length) settings.set("without", this.without.join("."));
      for (const name of ["source", "run"]) if (this.picked(name)) settings.set(name, this.picked(name));
      const told = settings.toString();
      return `#${encodeURIComponent(this.chosen)}${told ? `&${told}` : ""}`;
    }
  }

  function write(explorer, remember) {
    if (explorer.address === location.hash) return;
    history[remember ? "pushState" : "replaceState"](null, "", explorer.address);
  }

  function read() {
    const [, first, rest] = /^#([^&]*)&?(.*)$/.exec(location.hash) ?? [];
    const key = decoded(first ?? "");
    const explorer = explorers.find((one) => one.parts.has(key));
    explorer?.restore({ key, ...Object.fromEntries(new URLSearchParams(rest)) });
    return explorer;
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    const key = link && decoded(link.getAttribute("href").slice(1));
    const explorer = key && explorers.find((one) => one.parts.has(key));
    if (!explorer || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    explorer.choose(key, { remember: true, reveal: true });
    if (!event.detail) explorer.panels.focus();
  });

  document.documentElement.classList.add("js");
  const explorers = [...document.querySelectorAll(".explorer")].map((root) => new Explorer(root));
  addEventListener("popstate", read);
  read()?.reveal();
})();
