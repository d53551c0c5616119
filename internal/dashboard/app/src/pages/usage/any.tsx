import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { refine, route } from "../../core/route";
import { Json } from "../../ui/json";
import { TextField } from "../../ui/form";
import { Section } from "../../ui/page";
import { Loading, Problem } from "../../ui/states";
import { Num } from "../../ui/values";
import { useAnswer } from "./live";

/** What any view answers to a question, as it changes. */
export function AnyUsage(props: { log: string; view: Schemas["View"] }) {
  const { ask = "" } = route.value.query;
  const [typed, setTyped] = useState(ask);
  const question = Object.fromEntries(new URLSearchParams(ask));
  const { told, error } = useAnswer<string, unknown>(props.log, props.view.name, question, ask);
  return (
    <Section
      title="Answer"
      note={
        told && (
          <>
            As of event <Num of={told.sequence} />; it is shown anew as it changes.
          </>
        )
      }
    >
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          refine({ ask: typed });
        }}
      >
        <TextField
          name="Question"
          value={typed}
          onInput={setTyped}
          placeholder="month=2026-11&user=ann"
          hint="Parameters, as in the query string of the API. What they mean is up to the view."
        />
        <div class="row usage-ask">
          <button type="submit">Ask</button>
        </div>
      </form>
      {error && <Problem error={error} stale={told !== undefined} />}
      {told ? <Json name="Answer" value={told.answer} raw={told.text} /> : !error && <Loading lines={6} />}
    </Section>
  );
}
