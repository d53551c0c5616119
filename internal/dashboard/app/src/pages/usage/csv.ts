/** A cell: text of others, or digits. */
export type Cell = { text: string } | { digits: string } | undefined;

/**
 * A table as RFC 4180 has it: lines end with CR LF, and what holds a comma, a quote or a line break is quoted. A spreadsheet executes text
 * that begins with =, +, -, @, a tab or a line break, so such text gets an apostrophe before it; numbers do not.
 */
export function csv(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head.map((name) => ({ text: name })), ...rows].map((row) => row.map(field).join(","));
  return lines.map((line) => `${line}\r\n`).join("");
}

const number = /^-?\d+(\.\d+)?$/;

function field(cell: Cell): string {
  if (!cell) return "";
  if ("digits" in cell && number.test(cell.digits)) return cell.digits;
  const text = "digits" in cell ? cell.digits : cell.text;
  const safe = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(text) && !number.test(text) ? `'${text}` : text;
  // Text that reads as a number, or as nothing, is told from one that is.
  return safe === "" || number.test(safe) || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Has the browser save a file. */
export function save(name: string, content: string): void {
  const address = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  const a = document.createElement("a");
  a.href = address;
  a.download = name.replace(/[^\p{L}\p{N}._-]+/gu, "_");
  a.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
