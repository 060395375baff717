// The list keeps itself up to date without losing the reader's place: the server says that something changed, this asks
// for the page again and puts in only what is different. Without it the page reloads by itself.
"use strict";
(() => {
  const mark = document.querySelector("#live[data-live]");
  if (!mark || !window.EventSource) return;
  const SETTLED = 400;
  const APART = 3000; // where news never ends, the page still leaves the server alone for so long
  let shown = mark.dataset.stamp;
  let waiting = null;
  let asked = -APART;

  const again = () => {
    const here = new URL(location.href);
    here.searchParams.set("auto", "1");
    return here;
  };

  // The row nearest to the top of the window stays where it is.
  const anchor = () => [...document.querySelectorAll("#board > li")].find((row) => row.getBoundingClientRect().bottom > 0);

  const busy = (place) => {
    const field = document.activeElement;
    return place.contains(field) && field.matches("input, select, textarea");
  };

  const place = (name, fresh) => {
    const old = document.getElementById(name);
    const now = fresh.getElementById(name);
    if (!old || !now || busy(old) || old.outerHTML === now.outerHTML) return;
    if (old.tagName === "OL" && now.tagName === "OL") rows(old, now);
    else old.replaceWith(document.adoptNode(now));
  };

  const rows = (old, now) => {
    const known = new Map([...old.children].map((row) => [row.id, row]));
    const wanted = [...now.children].map((row) => {
      const same = known.get(row.id);
      return same && same.outerHTML === row.outerHTML ? same : document.adoptNode(row);
    });
    for (const row of known.values()) if (!wanted.includes(row)) row.remove();
    wanted.forEach((row, index) => {
      if (old.children[index] !== row) old.insertBefore(row, old.children[index] || null);
    });
  };

  const put = (fresh) => {
    const focused = document.activeElement && document.activeElement.id;
    const kept = anchor();
    const [id, top] = kept ? [kept.id, kept.getBoundingClientRect().top] : ["", 0];
    const before = document.querySelector("h1").textContent;
    ["heading", "feeds", "filters", "news", "board", "pages", "aside"].forEach((name) => place(name, fresh));
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
    const row = id && document.getElementById(id);
    if (row && window.scrollY > 0) window.scrollBy(0, row.getBoundingClientRect().top - top);
    const after = document.querySelector("h1").textContent;
    if (after !== before) document.getElementById("announce").textContent = after;
    shown = fresh.getElementById("live").dataset.stamp;
  };

  const refresh = async () => {
    waiting = null;
    asked = performance.now();
    let answer;
    try {
      answer = await fetch(again(), { credentials: "same-origin" });
    } catch {
      return; // the server is away: the stream comes back with it
    }
    if (answer.redirected || answer.status === 401) location.reload();
    else if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
  };

  const soon = () => {
    waiting ??= setTimeout(refresh, Math.max(SETTLED, asked + APART - performance.now()));
  };

  const stream = new EventSource("/live?auto=1");
  stream.addEventListener("news", (event) => event.data !== shown && soon());
  stream.addEventListener("tick", soon);
  stream.addEventListener("over", () => location.reload());
  // Where nobody may listen the page asks now and then, as it would without a script.
  stream.addEventListener("error", () => stream.readyState === EventSource.CLOSED && setInterval(refresh, 30000));
})();
