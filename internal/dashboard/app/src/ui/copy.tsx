import { useState } from "preact/hooks";

/** Copies a text; says so for two seconds. `name` is for screen readers, `label` what the button says. */
export function CopyButton(props: { text: string; name?: string; label?: string }) {
  const [state, setState] = useState<"" | "copied" | "failed">("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(props.text);
      setState("copied");
    } catch {
      setState(copyByCommand(props.text) ? "copied" : "failed"); // pages without TLS have no clipboard
    }
    window.setTimeout(() => setState(""), 2000);
  };
  return (
    <button type="button" class="small copy" aria-label={props.name ?? "Copy"} onClick={() => void copy()}>
      <span aria-live="polite">
        {state === "" ? (props.label ?? "Copy") : state === "copied" ? "Copied" : "Not copied"}
      </span>
    </button>
  );
}

function copyByCommand(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy"); // eslint-disable-line @typescript-eslint/no-deprecated -- there is no other way
  area.remove();
  return done;
}

/** A text to copy: a command, a program, a secret that is shown once. */
export function Snippet(props: { name: string; text: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0} role="region" aria-label={props.name}>
        {props.text}
      </pre>
      <CopyButton text={props.text} name={`Copy ${props.name}`} />
    </div>
  );
}
