import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { link } from "../../core/route";
import { client, may } from "../../core/session";
import { Dialog } from "../../ui/dialog";
import { Form, TextField, useAction } from "../../ui/form";
import { visible } from "../../ui/json";
import { Section } from "../../ui/page";
import { Num, Time } from "../../ui/values";

type View = Schemas["View"];

/** Why a version is halted: the error, the event, and how it goes on. */
export function Halt(props: { log: string; of: View; isSuccessor: boolean; reload: () => void }) {
  const { log, of } = props;
  const sequence = of.halted_sequence;
  return (
    <Section
      class="halt"
      title={`Version ${of.version} is halted`}
      note={noteOf(of, props.isSuccessor)}
      actions={may("deploy") && <Resume {...props} />}
    >
      <p>
        It could not count {sequence === undefined ? "an event" : "event "}
        {sequence !== undefined &&
          (may("read") ? (
            <a href={link(["logs", log, "events", String(sequence)])}>
              <Num of={sequence} />
            </a>
          ) : (
            <Num of={sequence} />
          ))}
        , <Time at={of.halted_at} relative />:
      </p>
      <p class="halt-error">
        <bdi>{visible(of.error ?? "it does not say why")}</bdi>
      </p>
      {of.halted_event !== undefined && (
        <div class="json">
          <pre role="region" tabIndex={0} aria-label="The event" dir="ltr">
            {visible(of.halted_event)}
          </pre>
        </div>
      )}
    </Section>
  );
}

function noteOf(of: View, isSuccessor: boolean): string {
  if (isSuccessor) return "It was to take the place of the one that answers.";
  if (!of.guard) return "Appends and other views go on.";
  return of.on_halt === "refuse"
    ? "Until it goes on, the log takes no event: its guard cannot decide."
    : "Appends go on, without its guard.";
}

function Resume(props: { log: string; of: View; reload: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="primary" onClick={() => setOpen(true)}>
        Resume
      </button>
      {open && <ResumeDialog {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

function ResumeDialog(props: { log: string; of: View; reload: () => void; onClose: () => void }) {
  const { log, of } = props;
  const [skip, setSkip] = useState(false);
  const [gas, setGas] = useState("");
  const [reason, setReason] = useState("");
  const action = useAction(async () => {
    const digits = gas.replaceAll(/[\s,_]/g, "");
    await client.value.resumeView(log, of.name, {
      skip,
      version: of.version,
      ...(reason === "" ? {} : { reason }),
      ...(digits === "" ? {} : { gas: Number(digits) }),
    });
    props.onClose();
    props.reload();
  });
  return (
    <Dialog title={`Resume version ${of.version}`} onClose={props.onClose}>
      <Form submit={skip ? "Leave the event out" : "Try the event again"} action={action} danger={skip}>
        <fieldset>
          <legend>Event {of.halted_sequence}</legend>
          <label class="check">
            <input type="radio" name="skip" checked={!skip} onChange={() => setSkip(false)} />
            Try it again, as after an update of the server, or with more gas
          </label>
          <label class="check">
            <input type="radio" name="skip" checked={skip} onChange={() => setSkip(true)} />
            Go on past it: this version leaves it out, for ever
          </label>
        </fieldset>
        <TextField
          name="Gas for an event, from here on"
          value={gas}
          onInput={setGas}
          placeholder={`as before: ${of.gas}`}
          hint="At most 1 000 000 000."
        />
        <TextField name="Reason" value={reason} onInput={setReason} hint="For the record, with who and when." />
      </Form>
    </Dialog>
  );
}
