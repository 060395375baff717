// A shared computer shows no patient to who passes by: untouched for some minutes, the page covers itself until somebody
// does something. Whether they are still signed in is asked before it shows again (reliability 4.5).
"use strict";
(() => {
  const cover = document.getElementById("cover");
  if (!cover) return;
  const LIMIT = Number(cover.dataset.after) * 1000;
  const PARTS = [...document.body.children].filter((part) => part !== cover);
  const title = document.title;
  let touched = Date.now();
  let timer = 0;

  const covered = () => !cover.hidden;

  const hide = () => {
    if (covered()) return;
    cover.hidden = false;
    document.documentElement.classList.add("covered");
    PARTS.forEach((part) => (part.inert = true));
    document.title = cover.dataset.title;
    cover.querySelector("button").focus();
  };

  const show = () => {
    PARTS.forEach((part) => (part.inert = false));
    document.documentElement.classList.remove("covered");
    cover.hidden = true;
    document.title = title;
    touched = Date.now();
    look();
  };

  // A timer may come late: a lid was closed, the page lay behind others.
  const look = () => {
    clearTimeout(timer);
    if (covered()) return;
    const left = touched + LIMIT - Date.now();
    if (left <= 0) hide();
    else timer = setTimeout(look, Math.min(left, 30000));
  };

  const uncover = async () => {
    let answer;
    try {
      answer = await fetch("/account?auto=1", { credentials: "same-origin", redirect: "manual" });
    } catch {
      return; // the server is away: nobody can say whether they may still see this
    }
    if (answer.ok || answer.status === 429) show();
    else location.reload();
  };

  const touch = (event) => {
    if (!covered()) {
      look(); // whoever comes after the time is up finds it covered
      if (!covered()) touched = Date.now();
      return;
    }
    if (event.type === "pointermove" || event.type === "scroll") return;
    event.preventDefault();
    uncover();
  };

  for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "scroll"])
    addEventListener(name, touch, { capture: true, passive: false });
  for (const name of ["visibilitychange", "focus", "pageshow"]) addEventListener(name, look, true);
  look();
})();
