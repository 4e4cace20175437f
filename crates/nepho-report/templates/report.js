"use strict";
// The rows, filters and tabs of the report. Text from the clouds only ever becomes a text node, never markup.
(() => {
  const PAGE = 50;
  const PRINT_MAX = 300;
  const LONG = 140;
  const STATUSES = ["open", "unknown", "pass", "muted"];
  const STATUS_NAMES = { open: "Open", unknown: "Unknown", pass: "Passed", muted: "Muted" };
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en-US");
  const count = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`;
  root.classList.add("scripted");

  const make = (tag, name, ...children) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...children);
    return element;
  };

  // Findings as objects, grouped by rule in the order of the cards.
  const groups = data.rules.map((rule) => ({ rule, findings: [], matched: [], shown: 0 }));
  for (const [rule, status, account, region, kind, key, name, evidence, reasons, muted] of data.findings) {
    groups[rule].findings.push({ status: STATUSES[status], account, region, kind, key, name, evidence, reasons, muted, text: "" });
  }
  for (const card of document.querySelectorAll(".card")) groups[Number(card.dataset.rule)].card = card;
  for (const group of groups) {
    group.count = group.card.querySelector(".card-count");
    group.rows = group.card.querySelector(".rows");
    group.more = group.card.querySelector(".more");
    group.more.addEventListener("click", () => showRows(group, PAGE * 4));
    group.card.addEventListener("toggle", () => { if (group.card.open && group.shown === 0) showRows(group, PAGE); });
  }

  // --- filters ---
  const filters = { search: "", severities: new Set(), status: "", account: "", region: "", kind: "", framework: "" };
  const selects = ["status", "account", "region", "kind", "framework"];
  const fill = (id, all, options) => {
    const select = byId(id);
    select.append(new Option(all, ""), ...options.map(([value, text]) => new Option(text, value)));
    select.closest("label").hidden = options.length < 2;
    select.addEventListener("change", () => { filters[id] = select.value; apply(); });
  };
  const present = STATUSES.filter((status) => groups.some((group) => group.findings.some((f) => f.status === status)));
  fill("status", "All", present.map((status) => [status, STATUS_NAMES[status]]));
  fill("account", "All accounts", data.accounts.map(([id, name], place) => [place, name ? `${name} (${id})` : id]));
  fill("region", "All regions", data.regions.map((region, place) => [place, region]));
  fill("kind", "All kinds", data.kinds.map((kind, place) => [place, kind]));
  fill("framework", "All frameworks", [...new Set(data.rules.flatMap((rule) => rule.frameworks))].sort().map((f) => [f, f]));
  const usual = present.includes("open") ? "open" : "";
  const chips = [...document.querySelectorAll(".chip")];
  const reset = () => {
    Object.assign(filters, { search: "", status: usual, account: "", region: "", kind: "", framework: "" });
    filters.severities.clear();
    byId("search").value = "";
    for (const id of selects) byId(id).value = filters[id];
    for (const chip of chips) chip.setAttribute("aria-pressed", "false");
  };
  const textOf = (rule, finding) => finding.text ||= [
    rule.id, rule.title, finding.name, finding.key, ...data.accounts[finding.account], data.regions[finding.region],
    data.kinds[finding.kind], ...finding.evidence.flat(), ...finding.reasons.flat(), finding.muted,
  ].join("\n").toLowerCase();

  const apply = () => {
    const words = filters.search.toLowerCase().split(/\s+/).filter(Boolean);
    const one = (value, place) => value === "" || Number(value) === place;
    const perSeverity = {};
    let findings = 0;
    let cards = 0;
    for (const group of groups) {
      const { rule } = group;
      const matched = filters.framework && !rule.frameworks.includes(filters.framework) ? [] : group.findings.filter((finding) =>
        (!filters.status || finding.status === filters.status) && one(filters.account, finding.account)
        && one(filters.region, finding.region) && one(filters.kind, finding.kind)
        && (words.length === 0 || words.every((word) => textOf(rule, finding).includes(word))));
      perSeverity[rule.severity] = (perSeverity[rule.severity] || 0) + matched.length;
      const wanted = filters.severities.size === 0 || filters.severities.has(rule.severity);
      group.matched = wanted ? matched : [];
      group.card.hidden = group.matched.length === 0;
      findings += group.matched.length;
      cards += group.card.hidden ? 0 : 1;
      const accounts = new Set(group.matched.map((finding) => finding.account)).size;
      group.count.textContent = `${count(group.matched.length, "resource", "resources")} · ${count(accounts, "account", "accounts")}`;
      group.shown = 0;
      group.rows.replaceChildren();
      group.more.hidden = true;
      if (group.card.open && !group.card.hidden) showRows(group, PAGE);
    }
    for (const chip of chips) chip.querySelector(".chip-count").textContent = number.format(perSeverity[chip.dataset.severity] || 0);
    byId("shown").textContent = `${count(findings, "finding", "findings")} of ${count(cards, "rule", "rules")}`;
    byId("empty").hidden = cards > 0;
    byId("clear").hidden = filters.status === usual && !filters.search && filters.severities.size === 0
      && !filters.account && !filters.region && !filters.kind && !filters.framework;
  };

  let typing;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => { filters.search = event.target.value; apply(); }, 120);
  });
  for (const chip of chips) chip.addEventListener("click", () => {
    const { severity } = chip.dataset;
    const on = !filters.severities.delete(severity);
    if (on) filters.severities.add(severity);
    chip.setAttribute("aria-pressed", String(on));
    apply();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => { reset(); apply(); byId("search").focus(); });
  byId("expand").addEventListener("click", (event) => {
    const visible = groups.filter((group) => !group.card.hidden);
    const open = !visible.every((group) => group.card.open);
    for (const group of visible) group.card.open = open;
    event.target.textContent = open ? "Close all" : "Open all";
  });

  // --- rows ---
  const value = (text) => {
    if (text.length <= LONG) return make("dd", "", text);
    let pretty = text;
    try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* plain text stays as it is */ }
    const summary = make("summary", "", `${text.slice(0, LONG - 20)}… `, make("u", "", "all"));
    return make("dd", "", make("details", "", summary, make("pre", "", pretty)));
  };
  const fact = (name, dd) => make("div", "", make("dt", "", name), dd);
  const row = (finding) => {
    const name = make("div", "row-name");
    if (finding.status !== "open") name.append(make("span", `status status-${finding.status}`, STATUS_NAMES[finding.status].toLowerCase()));
    name.append(finding.name);
    const copy = make("button", "", "Copy");
    copy.type = "button";
    copy.setAttribute("aria-label", `Copy the key of ${finding.name}`);
    copy.addEventListener("click", () => copyText(finding.key, copy));
    const key = make("div", "row-key", make("span", "", finding.key), copy);
    const [id, accountName] = data.accounts[finding.account];
    const place = make("div", "row-place", accountName || id,
      make("span", "sub", `${accountName ? `${id} · ` : ""}${data.regions[finding.region]} · ${data.kinds[finding.kind]}`));
    const facts = make("dl", "facts");
    for (const [what, words] of finding.reasons) facts.append(fact(`${what} not known:`, value(words)));
    for (const [what, text] of finding.evidence) facts.append(fact(what, value(text)));
    if (finding.muted) facts.append(fact("muted:", make("dd", "", finding.muted)));
    return make("li", "", make("div", "", name, key), place, facts);
  };
  const showRows = (group, some) => {
    const to = Math.min(group.matched.length, group.shown + some);
    group.rows.append(...group.matched.slice(group.shown, to).map(row));
    group.shown = to;
    const rest = group.matched.length - to;
    group.more.hidden = rest === 0;
    group.more.textContent = `Show ${number.format(Math.min(rest, PAGE * 4))} more of ${number.format(rest)}`;
  };

  // --- copying ---
  const copyText = async (text, button) => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", "visually-hidden");
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = done ? "Copied" : "Not allowed here";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  for (const button of document.querySelectorAll("[data-copy-code]")) button.addEventListener("click", () => {
    const shown = [...button.closest(".codes").querySelectorAll(".code")].find((code) => !code.hidden);
    if (shown) copyText(shown.querySelector("code").textContent, button);
  });

  // --- tabs: arrow keys move, as the ARIA practices say ---
  const tablist = (list, chosen) => {
    const tabs = [...list.querySelectorAll("[role=tab]")];
    const choose = (tab, focus) => {
      for (const other of tabs) {
        const on = other === tab;
        other.setAttribute("aria-selected", String(on));
        other.tabIndex = on ? 0 : -1;
        chosen(byId(other.getAttribute("aria-controls")), on);
      }
      if (focus) tab.focus();
    };
    tabs.forEach((tab, place) => {
      tab.addEventListener("click", () => choose(tab, false));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, Home: -place, End: tabs.length - 1 - place }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        choose(tabs[(place + step + tabs.length) % tabs.length], true);
      });
    });
    choose(tabs.find((tab) => tab.getAttribute("aria-selected") === "true") || tabs[0], false);
    return choose;
  };
  for (const list of document.querySelectorAll(".code-tabs")) tablist(list, (panel, on) => { panel.hidden = !on; panel.setAttribute("role", "tabpanel"); });
  const choosePart = tablist(document.querySelector(".tabs"), (panel, on) => {
    panel.classList.toggle("current", on);
    panel.setAttribute("role", "tabpanel");
  });

  // --- places in the page: #coverage, #rule-… ---
  const go = () => {
    let id = "";
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const tab = id && byId(`tab-${id}`);
    if (tab) {
      choosePart(tab, false);
      byId(id).scrollIntoView({ block: "nearest" });
      return;
    }
    const group = groups.find((candidate) => `rule-${candidate.rule.id}` === id);
    if (!group) return;
    choosePart(byId("tab-findings"), false);
    if (group.card.hidden) {
      reset();
      if (!group.findings.some((finding) => finding.status === usual)) byId("status").value = filters.status = "";
      apply();
    }
    group.card.open = true;
    group.card.scrollIntoView();
    group.card.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", go);
  byId("show-muted")?.addEventListener("click", () => {
    reset();
    if (present.includes("muted")) byId("status").value = filters.status = "muted";
    apply();
    choosePart(byId("tab-findings"), true);
  });
  addEventListener("keydown", (event) => {
    const typingNow = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName);
    if (event.key !== "/" || typingNow || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choosePart(byId("tab-findings"), false);
    byId("search").focus();
  });

  // --- light and dark ---
  const stored = () => { try { return localStorage.getItem("nephoscope-theme"); } catch { return null; } };
  if (stored()) root.dataset.theme = stored();
  byId("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("nephoscope-theme", root.dataset.theme); } catch { /* it holds until the page is closed */ }
  });

  // --- printing: everything that the filters let through is open ---
  let closed = [];
  addEventListener("beforeprint", () => {
    for (const group of groups.filter((candidate) => !candidate.card.hidden)) {
      if (group.shown < PRINT_MAX) showRows(group, PRINT_MAX - group.shown);
      if (group.shown < group.matched.length) {
        group.rows.append(make("li", "print-rest", `and ${number.format(group.matched.length - group.shown)} more: see the CSV or JSON report`));
      }
    }
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    for (const rest of document.querySelectorAll(".print-rest")) rest.remove();
  });

  reset();
  apply();
  const first = groups.find((group) => !group.card.hidden);
  if (first && groups.length <= 400) first.card.open = true;
  go();
})();
