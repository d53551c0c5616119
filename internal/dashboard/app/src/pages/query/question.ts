/** What is asked of a view: the parameters of a query string, in order. */
export type Parameters = readonly (readonly [name: string, value: string])[];

export interface Asked {
  log: string;
  view: string;
  question: string;
}

export function parametersOf(question: string): Parameters {
  return [...new URLSearchParams(question)];
}

export function questionOf(parameters: Parameters): string {
  return new URLSearchParams(
    parameters.filter(([name]) => name !== "").map(([name, value]) => [name, value]),
  ).toString();
}

/** The same question in other forms, by their names: each can be pasted as it is, with the key in TALLY_KEY. */
export function programsOf(
  { log, view, question }: Asked,
  server: string,
  keyed: boolean,
): [name: string, text: string][] {
  const parameters = parametersOf(question);
  const path = `${server}/logs/${encodeURIComponent(log)}/views/${encodeURIComponent(view)}/query`;
  const header = keyed ? ' \\\n  -H "Authorization: Bearer $TALLY_KEY"' : "";
  const object = (member: (name: string, value: string) => string) =>
    parameters.length === 0 ? "" : `, { ${parameters.map(([name, value]) => member(name, value)).join(", ")} }`;
  return [
    ["curl", `curl ${shell(path + (question && `?${question}`))}${header}`],
    ["CLI", `tally query ${shell(log)} ${shell(view)}${question && ` ${shell(question)}`} --url ${shell(server)}`],
    [
      "Go",
      `client, err := tally.New(tally.Options{URL: ${quoted(server)}})\n…\n` +
        `answer, err := client.QueryView(ctx, ${quoted(log)}, ${quoted(view)}, ${quoted(question)})`,
    ],
    [
      "TypeScript",
      `const tally = new Tally({ url: ${quoted(server)} });\n` +
        `const { answer } = await tally.queryView(${quoted(log)}, ${quoted(view)}` +
        `${object((name, value) => `${quoted(name)}: ${quoted(value)}`)});`,
    ],
    [
      "Python",
      `tally = Tally(url=${quoted(server)})\n` +
        `answer = tally.query_view(${quoted(log)}, ${quoted(view)}` +
        `${object((name, value) => `${quoted(name)}: ${quoted(value)}`)}).value`,
    ],
    [
      "SQL",
      `-- the state that the answer is made of\nSELECT key, value\nFROM reporting.view_state\n` +
        `WHERE log = ${sql(log)} AND view = ${sql(view)}\nORDER BY key;`,
    ],
  ];
}

function shell(text: string): string {
  return /^[\w./:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function sql(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
