import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Form, TextField, useAction } from "./form";

/** A dialog over the page: the browser keeps the keyboard inside, and Escape closes it. */
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={title} onClose={props.onClose}>
      <header class="dialog-head">
        <h2 id={title}>{props.title}</h2>
        <button type="button" class="small" aria-label="Close" onClick={() => dialog.current?.close()}>
          ✕
        </button>
      </header>
      {props.children}
    </dialog>
  );
}

/** A button that asks before it does what cannot be undone; with `typed`, a name that has to be typed for it. */
export function Confirm(props: {
  name: string;
  question: string;
  typed?: string;
  children: ComponentChildren;
  run: () => Promise<void>;
}) {
  const [asking, setAsking] = useState(false);
  const [text, setText] = useState("");
  const action = useAction(async () => {
    if (props.typed !== undefined && text !== props.typed)
      throw new Error(`Type ${props.typed} to go on; nothing was done.`);
    await props.run();
    setAsking(false);
  });
  return (
    <>
      <button
        type="button"
        onClick={() => {
          setText("");
          setAsking(true);
        }}
      >
        {props.name}
      </button>
      {asking && (
        <Dialog title={props.question} onClose={() => setAsking(false)}>
          <Form submit={props.name} action={action} danger>
            {props.children}
            {props.typed !== undefined && (
              <TextField name={`Type ${props.typed} to go on`} value={text} onInput={setText} required />
            )}
          </Form>
        </Dialog>
      )}
    </>
  );
}
