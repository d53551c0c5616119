import { ExactNumber } from "@tallystick/client";
import { useState } from "preact/hooks";
import { CopyButton } from "./copy";

const mostLines = 500; // of a value that is shown at once
const deepest = 40; // levels; deeper ones are shown as they are written
const longest = 2_000; // characters of a text

/**
 * A JSON value, a member to a line. It stays text whatever is in it, and shows a bounded part of what is long, wide or deep: a button
 * shows more, and `raw` is copied whole.
 */
export function Json(props: { name: string; value: unknown; raw?: string }) {
  const [most, setMost] = useState(mostLines);
  const lines: string[] = [];
  const whole = write(props.value, "", "", lines, most, 0);
  return (
    <div class="json">
      <pre role="region" tabIndex={0} aria-label={props.name} dir="ltr">
        {lines.slice(0, most).join("\n")}
      </pre>
      {!whole && (
        <button type="button" class="small" onClick={() => setMost(most * 10)}>
          Show more
        </button>
      )}
      {props.raw !== undefined && <CopyButton text={props.raw} name={`Copy ${props.name}`} />}
    </div>
  );
}

/** Writes a value into lines until there are enough; reports whether all of it is there. */
function write(value: unknown, before: string, after: string, lines: string[], most: number, depth: number): boolean {
  if (lines.length >= most) return false;
  const indent = "  ".repeat(depth);
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) {
    const text = scalar(value);
    lines.push(
      indent +
        before +
        (text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text) +
        after,
    );
    return true;
  }
  const isList = Array.isArray(value);
  const members: [string, unknown][] = isList ? value.map((item) => ["", item]) : Object.entries(value);
  const [begin, end] = isList ? ["[", "]"] : ["{", "}"];
  if (members.length === 0 || depth >= deepest) {
    lines.push(indent + before + begin + (members.length === 0 ? "" : "…") + end + after);
    return true;
  }
  lines.push(indent + before + begin);
  for (const [i, [name, member]] of members.entries()) {
    const head = isList ? "" : `${visible(JSON.stringify(name))}: `;
    if (!write(member, head, i < members.length - 1 ? "," : "", lines, most, depth + 1)) return false;
  }
  lines.push(indent + end + after);
  return lines.length <= most;
}

function scalar(value: unknown): string {
  if (typeof value === "bigint" || value instanceof ExactNumber) return value.toString();
  return visible(value === undefined ? "undefined" : JSON.stringify(value));
}

/** Marks that change the direction or are not seen, as escapes: what is shown is what is there. */
export function visible(text: string): string {
  return text.replace(
    /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
