import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Form, useAction } from "./form";

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

/** A button that asks before it does what cannot be undone. */
export function Confirm(props: {
  name: string;
  question: string;
  children: ComponentChildren;
  run: () => Promise<void>;
}) {
  const [asking, setAsking] = useState(false);
  const action = useAction(async () => {
    await props.run();
    setAsking(false);
  });
  return (
    <>
      <button type="button" onClick={() => setAsking(true)}>
        {props.name}
      </button>
      {asking && (
        <Dialog title={props.question} onClose={() => setAsking(false)}>
          <Form submit={props.name} action={action} danger>
            {props.children}
          </Form>
        </Dialog>
      )}
    </>
  );
}
