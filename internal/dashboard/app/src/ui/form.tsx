import type { TallyError } from "@tallystick/client";
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { asTallyError } from "../core/resource";
import { noticeFailure } from "../core/session";
import { Problem } from "./states";

/** A label with its field. The child is given the id that the label is for. */
export function Field(props: { name: string; hint?: ComponentChildren; children: (id: string) => ComponentChildren }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.name}</label>
      {props.children(id)}
      {props.hint && <p class="hint">{props.hint}</p>}
    </div>
  );
}

export function TextField(props: {
  name: string;
  value: string;
  onInput: (value: string) => void;
  hint?: ComponentChildren;
  type?: "text" | "password" | "search" | "number" | "datetime-local" | "date" | "url";
  placeholder?: string;
  required?: boolean;
  list?: readonly string[];
}) {
  const listId = useId();
  return (
    <Field name={props.name} hint={props.hint}>
      {(id) => (
        <>
          <input
            id={id}
            {...typed(props.type)}
            value={props.value}
            placeholder={props.placeholder}
            required={props.required}
            autocomplete="off"
            spellcheck={false}
            list={props.list && listId}
            onInput={(event) => props.onInput(event.currentTarget.value)}
          />
          {props.list && (
            <datalist id={listId}>
              {props.list.map((item) => (
                <option key={item} value={item} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

/** The attribute by itself: the types of fields differ by it, and here it is any of theirs. */
function typed(type = "text"): { type?: "text" } {
  return { type } as { type?: "text" };
}

export function SelectField(props: {
  name: string;
  value: string;
  options: readonly (readonly [value: string, name: string])[];
  onInput: (value: string) => void;
  hint?: ComponentChildren;
}) {
  return (
    <Field name={props.name} hint={props.hint}>
      {(id) => (
        <select id={id} value={props.value} onInput={(event) => props.onInput(event.currentTarget.value)}>
          {props.options.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** What a form or a button does: it runs once at a time, and its failure is kept to be shown. */
export function useAction(run: () => Promise<void>): {
  busy: boolean;
  error: TallyError | undefined;
  start: () => void;
} {
  const [state, setState] = useState<{ busy: boolean; error: TallyError | undefined }>({
    busy: false,
    error: undefined,
  });
  const start = () => {
    if (state.busy) return;
    setState({ busy: true, error: undefined });
    run().then(
      () => setState({ busy: false, error: undefined }),
      (error: unknown) => {
        noticeFailure(error);
        setState({ busy: false, error: asTallyError(error) });
      },
    );
  };
  return { ...state, start };
}

/** A form with one button; what the server refuses stands above the button. */
export function Form(props: {
  submit: string;
  action: ReturnType<typeof useAction>;
  children: ComponentChildren;
  danger?: boolean;
}) {
  const { busy, error, start } = props.action;
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      {props.children}
      {error && <Problem error={error} />}
      <button type="submit" class={props.danger ? "danger" : "primary"} aria-disabled={busy} aria-busy={busy}>
        {props.submit}
      </button>
    </form>
  );
}
