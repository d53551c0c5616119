/**
 * JSON without loss. JavaScript's own reader rounds what a double cannot hold; here an integer of that kind becomes a bigint, any other
 * number an ExactNumber, and both are written again as they were.
 */

const numberText = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A number that a double cannot hold, by its JSON text: `0.1234567890123456789`, `1e400`. */
export class ExactNumber {
  /** The number as it is written in JSON. */
  readonly text: string;

  /** @throws {RangeError} where text is no number of JSON */
  constructor(text: string) {
    if (!numberText.test(text)) throw new RangeError(`${JSON.stringify(text)} is no number of JSON`);
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** The text, so that JSON.stringify loses nothing; this client writes it as a number. */
  toJSON(): string {
    return this.text;
  }
}

// A number of 16 characters or more, or with an exponent: only such can be more than a double holds. It may also match inside of a string.
const perhapsInexact = /(?:^|[:,[\s])-?(?:\d[\d.]{15,}|\d[\d.]*[eE])/;
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;

/**
 * Reads JSON without loss: a number is a `number` where that holds its value, else a `bigint` or an {@link ExactNumber}.
 *
 * @throws {SyntaxError} where text is no JSON
 */
export function parseExact(text: string): unknown {
  if (!perhapsInexact.test(text)) return JSON.parse(text);
  const mark = marker();
  const marked = text.replace(tokens, (token) =>
    token.startsWith('"') || isExact(token) ? token : `"${mark}${token}"`,
  );
  return JSON.parse(marked, (_, value: unknown) => {
    if (typeof value !== "string" || !value.startsWith(mark)) return value;
    const digits = value.slice(mark.length);
    return /[.eE]/.test(digits) ? new ExactNumber(digits) : BigInt(digits);
  });
}

/** Whether a double holds the number. What is no number is left to JSON.parse, which refuses it. */
function isExact(text: string): boolean {
  if (!numberText.test(text)) return true;
  const value = canonical(text);
  return value !== undefined && value === canonical(String(Number(text)));
}

/** The value of a decimal number, as digits without zeros at either end and an exponent. */
export function canonical(text: string): string | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!parts) return undefined; // Infinity
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts;
  if (exponent.length > 20) return undefined; // beyond every double
  const digits = (whole + fraction).replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  return short === ""
    ? "0"
    : `${sign}${short}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - short.length)}`;
}

/**
 * Writes JSON without loss: bigints and {@link ExactNumber}s as numbers. Otherwise as JSON.stringify does.
 *
 * @throws {TypeError} where JSON cannot hold the value: NaN and infinities, which JSON.stringify would make null; functions; circles
 */
export function stringifyExact(value: unknown): string {
  let mark = "";
  // The second parameter has what toJSON made of the member; the member itself is in its holder.
  const text = JSON.stringify(value, function (this: unknown, name: string, made: unknown): unknown {
    const member: unknown = (this as Record<string, unknown>)[name];
    if (typeof member === "bigint" || member instanceof ExactNumber) {
      mark ||= marker();
      return mark + member.toString();
    }
    if (typeof made === "number" && !Number.isFinite(made)) {
      throw new TypeError(`${name === "" ? "the value" : JSON.stringify(name)} is ${made}, which JSON cannot hold`);
    }
    return made;
  }) as string | undefined; // undefined for undefined, functions and symbols
  if (text === undefined) throw new TypeError(`a ${typeof value} cannot be written as JSON`);
  return mark === "" ? text : text.replace(new RegExp(`"${mark}([^"]*)"`, "g"), "$1");
}

/** A text that no string of the outside begins with, but by an accident of 1 in 2^128. */
function marker(): string {
  return `${randomHex()}:`;
}

/** 128 random bits, in hexadecimal. */
export function randomHex(): string {
  // randomUUID is missing on pages that come without TLS.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const strings = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const structure = /["{}[\]]/g;

/** The index after the value that begins at index `at` of valid JSON. */
function end(text: string, at: number): number {
  let depth = 0;
  structure.lastIndex = at;
  const first = text.charAt(at);
  if (first !== '"' && first !== "{" && first !== "[") {
    while (at < text.length && !",]} \t\r\n".includes(text.charAt(at))) at++;
    return at;
  }
  for (let match = structure.exec(text); match; match = structure.exec(text)) {
    const character = match[0];
    if (character === '"') {
      strings.lastIndex = match.index;
      strings.test(text);
      structure.lastIndex = strings.lastIndex;
    } else {
      depth += character === "{" || character === "[" ? 1 : -1;
    }
    if (depth === 0) return structure.lastIndex;
  }
  return text.length;
}

function* values(text: string): Generator<[from: number, to: number]> {
  let at = /^\s*[[{]/.exec(text)?.[0].length ?? text.length;
  for (;;) {
    while (at < text.length && ",: \t\r\n".includes(text.charAt(at))) at++;
    if (at >= text.length || text.charAt(at) === "}" || text.charAt(at) === "]") return;
    const to = end(text, at);
    yield [at, to];
    at = to;
  }
}

/** The texts of the elements of a valid JSON array. */
export function elementTexts(text: string): string[] {
  return Array.from(values(text), ([from, to]) => text.slice(from, to));
}

/** The text of a member of a valid JSON object, the last one of that name; undefined where there is none. */
export function memberText(text: string, name: string): string | undefined {
  let found: string | undefined;
  const all = elementTexts(text);
  for (let i = 0; i + 1 < all.length; i += 2) {
    if (JSON.parse(all[i] ?? "") === name) found = all[i + 1];
  }
  return found;
}
