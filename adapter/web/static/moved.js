// Tells whoever has a candidate's page open that more is known by now, and keeps its clock. What somebody reads or types
// stays as it is until they ask for the new page.
"use strict";
(() => {
  const bar = document.getElementById("moved");
  const clock = () => document.getElementById("clock");
  if (!bar || !clock()) return;
  const EVERY = 20000;
  const shown = clock().dataset.stamp;

  const put = (now) => {
    if (now.dataset.stamp !== shown) {
      bar.hidden = false;
      bar.parentElement.querySelectorAll(".ok").forEach((said) => said.remove());
    }
    if (now.outerHTML !== clock().outerHTML) clock().replaceWith(document.adoptNode(now));
  };

  const ask = async () => {
    if (document.hidden) return;
    let answer;
    try {
      answer = await fetch(`${bar.querySelector("a").pathname}/now?auto=1`, { credentials: "same-origin" });
    } catch {
      return; // the server is away
    }
    if (!answer.ok || answer.redirected) return;
    const now = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("clock");
    if (now) put(now);
  };

  setInterval(ask, EVERY);
  document.addEventListener("visibilitychange", ask); // a phone that was in a pocket
  window.addEventListener("pageshow", (event) => event.persisted && ask());
})();
