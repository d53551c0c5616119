#!/usr/bin/env node
"use strict";

const { spawn } = require("node:child_process");
const { binaryPath } = require("./index.js");

const child = spawn(binaryPath(), process.argv.slice(2), { stdio: "inherit" });
// A terminal sends its signals to both; others send them to this process alone.
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
process.on("SIGINT", () => {});
child.on("error", (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exitCode = code;
  else {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
});
