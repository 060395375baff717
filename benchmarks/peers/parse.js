// JavaScript parsers as workers (see benchmarks/peers/worker.py): node parse.js NAME FILE, NODE_PATH at the cache.
"use strict";
const fs = require("node:fs");
const readline = require("node:readline");

const OBX = [[3, 1], [3, 2], [5, 1], [6, 1], [11, 1], [14, 1]];
const decoded = (text) => (text.includes("\\") ? text.replaceAll("\\T\\", "&") : text); // neither decodes by itself

const READERS = {
  medplum() {
    const { Hl7Message } = require("@medplum/core");
    const part = (segment, field, component) => decoded(segment.getField(field)?.getComponent(component) ?? "");
    return (text) => {
      const message = Hl7Message.parse(text);
      const found = [part(message.getSegment("MSH"), 10, 1), part(message.getSegment("PID"), 3, 1)];
      for (const line of message.getAllSegments("OBX")) for (const place of OBX) found.push(part(line, ...place));
      return found;
    };
  },
  "node-hl7-client"() {
    const { Message } = require("node-hl7-client");
    const part = (segment, field, component) => {
      const value = segment.get(`.${field}.${component}`).toString();
      return decoded(value || (component === 1 ? segment.get(`.${field}`).toString() : ""));
    };
    return (text) => {
      const message = new Message({ text });
      const found = [message.get("MSH.10").toString(), message.get("PID.3.1").toString()];
      for (const line of message.get("OBX").toArray()) for (const place of OBX) found.push(part(line, ...place));
      return found;
    };
  },
};

const read = READERS[process.argv[2]]();
const texts = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));
console.log(JSON.stringify(texts.map(read)));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const seconds = Number(line), began = performance.now();
  let done = 0, spent = 0;
  while ((spent = (performance.now() - began) / 1000) < seconds) read(texts[done++ % texts.length]);
  console.log(done / spent);
});
