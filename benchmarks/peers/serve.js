// Medplum's HL7 server, which acknowledges and keeps nothing: node serve.js PORT, NODE_PATH at the cache.
"use strict";
const { Hl7Server } = require("@medplum/hl7");

const server = new Hl7Server((connection) => {
  connection.addEventListener("message", (event) => connection.send(event.message.buildAck()));
});
server.start(Number(process.argv[2]));
console.log("ready");
