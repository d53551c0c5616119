import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ExactNumber, parseExact, stringifyExact } from "../src/index.js";
import { elementTexts, memberText } from "../src/json.js";

describe("exact numbers", () => {
  test("what a double holds is a number, else nothing is lost", () => {
    const cases: [string, unknown][] = [
      ["0.10", 0.1],
      ["1e2", 100],
      ["-0.0000001", -1e-7],
      ["9007199254740992", 9007199254740992],
      ["9007199254740993", 9007199254740993n],
      ["-9007199254740993", -9007199254740993n],
      ["100000000000000000000000", 1e23],
      ["100000000000000000000001", 100000000000000000000001n],
      ["0.1000000000000000055511151231257827", new ExactNumber("0.1000000000000000055511151231257827")],
      ["0.30000000000000004", 0.30000000000000004],
      ["1.7976931348623157e308", Number.MAX_VALUE],
      ["1e400", new ExactNumber("1e400")],
      ["1e-400", new ExactNumber("1e-400")],
      [`1e${"9".repeat(1000)}`, new ExactNumber(`1e${"9".repeat(1000)}`)],
      ["0e0", 0],
      ["12345678901234567890.0", new ExactNumber("12345678901234567890.0")],
    ];
    for (const [text, value] of cases) {
      assert.deepEqual(parseExact(text), value, text);
      assert.deepEqual(parseExact(`{"a": [1, ${text}\n, "x"]}`), { a: [1, value, "x"] }, text);
      const again = stringifyExact(value);
      assert.deepEqual(parseExact(again), value, text);
    }
  });

  test("texts that look like numbers stay texts", () => {
    const value = { "9007199254740993": "9007199254740993", e: 'say "9007199254740993", :1e400 \\', big: 1n << 70n };
    assert.deepEqual(parseExact(stringifyExact(value)), value);
    assert.deepEqual(parseExact('["\\"", 9007199254740993, "\\\\", 1]'), ['"', 9007199254740993n, "\\", 1]);
  });

  test("what is no JSON is refused, with long numbers too", () => {
    for (const text of [
      "",
      "{",
      "01234567890123456789",
      "[1234567890123456789.]",
      "1e400e4",
      "[-]",
      "NaN",
      "1234567890123456789 2",
    ]) {
      assert.throws(() => parseExact(text), SyntaxError, text);
    }
  });

  test("what JSON cannot hold is refused, and never becomes null", () => {
    for (const value of [NaN, -Infinity, { deep: [NaN] }, undefined, () => 1, Symbol("x")]) {
      assert.throws(() => stringifyExact(value), TypeError);
    }
    assert.throws(() => new ExactNumber("1,5"), RangeError);
    assert.equal(
      stringifyExact({ at: new Date(0), no: undefined, list: [undefined] }),
      '{"at":"1970-01-01T00:00:00.000Z","list":[null]}',
    );
  });

  test("large texts are read whole", () => {
    const long = "x\\n".repeat(2 << 20);
    const value = parseExact(`["${long}", 9007199254740993]`) as [string, bigint];
    assert.equal(value[0].length, 4 << 20);
    assert.equal(value[1], 9007199254740993n);
  });
});

describe("the texts of parts", () => {
  test("are cut where the values are", () => {
    const text = ' {"a\\u0062" : {"x":"}]\\"","y":[1,2]} , "n":-1.50e3,"t":true , "l":[ ], "a":"1","a":"2"}';
    assert.equal(memberText(text, "ab"), '{"x":"}]\\"","y":[1,2]}');
    assert.equal(memberText(text, "n"), "-1.50e3");
    assert.equal(memberText(text, "t"), "true");
    assert.equal(memberText(text, "l"), "[ ]");
    assert.equal(memberText(text, "a"), '"2"');
    assert.equal(memberText(text, "none"), undefined);
    assert.deepEqual(elementTexts('[ 1 ,{"a":[]}, "\\\\" ,[[1]],null ]'), ["1", '{"a":[]}', '"\\\\"', "[[1]]", "null"]);
    assert.deepEqual(elementTexts("[]"), []);
  });
});
