// What somebody typed into the other forms of a candidate's page stays when one of them is sent, or the page is asked for
// again. It waits in this tab alone, for the next page it shows: there it is put back, for the same person on the same page,
// or it is gone.
"use strict";
(() => {
  const KEY = "typed ";
  const who = document.querySelector(".whoami a");
  const page = document.querySelector("#moved a")?.pathname;
  const forms = () => document.querySelectorAll("main form[action^='/c/']");
  const fields = (form) => form.querySelectorAll("textarea, input:not([type=hidden], [type=radio])");
  const place = (form, field) => [form.getAttribute("action").split("?")[0], form.elements.criterion?.value, field.name].join(" ");

  const forget = () => {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(KEY)) sessionStorage.removeItem(key);
  };

  const keep = (sent) => {
    forget();
    const typed = [];
    for (const form of forms())
      if (form !== sent) for (const field of fields(form)) if (field.value.trim()) typed.push([place(form, field), field.value]);
    if (page && typed.length) sessionStorage.setItem(KEY + page, JSON.stringify({ by: who.textContent, typed }));
  };

  const putBack = ({ by, typed }) => {
    if (by !== who.textContent) return;
    const left = new Map(typed);
    for (const form of forms())
      for (const field of fields(form)) {
        if (field.value || !left.has(place(form, field))) continue;
        field.value = left.get(place(form, field));
        for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
      }
  };

  const kept = page && sessionStorage.getItem(KEY + page);
  forget();
  if (kept) putBack(JSON.parse(kept));
  addEventListener("submit", (event) => {
    if (event.target.matches("[action='/sign-out']")) forget();
    else if (!event.defaultPrevented) keep(event.target);
  });
  document.querySelector("#moved a")?.addEventListener("click", () => keep(null));
})();
