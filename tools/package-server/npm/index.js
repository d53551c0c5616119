"use strict";

const name = `@tallystick/server-${process.platform}-${process.arch}`;

/** The path of the program for this platform. */
exports.binaryPath = function binaryPath() {
  try {
    return require.resolve(`${name}/bin/tally`);
  } catch (cause) {
    const advice = "it comes as an optional dependency: was npm told to leave those out, or is there none for this platform?";
    throw new Error(`the package ${name} is not installed; ${advice}`, { cause });
  }
};
