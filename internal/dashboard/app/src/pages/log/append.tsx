import { Snippet } from "../../ui/copy";

/** How a log gets its first event, to copy. */
export function HowToAppend(props: { log: string }) {
  const { log } = props;
  const event = `{"type": "api.call", "id": "req-1", "tokens": 150}`;
  return (
    <div class="commands">
      <Snippet
        name="append by curl"
        text={`curl ${shellWord(`${location.origin}/logs/${encodeURIComponent(log)}/append`)} \\
  -H "Authorization: Bearer $TALLY_KEY" -H 'Content-Type: application/json' \\
  -d '${event}'`}
      />
      <Snippet name="append by the command line" text={`tally append ${shellWord(log)} '${event}'`} />
    </div>
  );
}

/** A word as a shell reads it, whatever is in it. */
export function shellWord(text: string): string {
  return /^[\w./:@+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The same question by curl and by the command line. */
export function Commands(props: { path: readonly string[]; query?: string; cli: string }) {
  const address = `${location.origin}/${props.path.map(encodeURIComponent).join("/")}${props.query ?? ""}`;
  return (
    <div class="commands">
      <Snippet name="curl" text={`curl -H "Authorization: Bearer $TALLY_KEY" ${shellWord(address)}`} />
      <Snippet name="command line" text={props.cli} />
    </div>
  );
}
