import type { StoredEvent } from "@tallystick/client";
import { useState } from "preact/hooks";
import { bytes, exact } from "../../core/format";
import { CopyButton } from "../../ui/copy";
import { Json, visible } from "../../ui/json";
import { Section } from "../../ui/page";

const shown = 20_000; // characters of the bytes that are shown at once

/** What the event says: as JSON to read, and byte for byte as it was sent. */
export function Content(props: { log: string; event: StoredEvent }) {
  const { log, event } = props;
  const [sent, setSent] = useState(false);
  const size = new TextEncoder().encode(event.raw).length;
  return (
    <Section
      title="Content"
      note={`${exact(size)} bytes${size >= 1024 ? ` (${bytes(size)})` : ""}`}
      actions={
        <>
          <button type="button" class="small" aria-pressed={!sent} onClick={() => setSent(false)}>
            To read
          </button>
          <button type="button" class="small" aria-pressed={sent} onClick={() => setSent(true)}>
            As sent
          </button>
          <CopyButton text={event.raw} label="Copy bytes" name="Copy bytes as they were sent" />
          <button type="button" class="small" onClick={() => download(`${log}-${event.sequence}.json`, event.raw)}>
            Download
          </button>
        </>
      }
    >
      {sent ? <Sent raw={event.raw} /> : <Json name="The event" value={event.data} />}
    </Section>
  );
}

function Sent(props: { raw: string }) {
  const [most, setMost] = useState(shown);
  const { raw } = props;
  return (
    <div class="json">
      <pre role="region" tabIndex={0} aria-label="The event as it was sent" dir="ltr">
        {visible(raw.slice(0, most))}
        {raw.length > most && "…"}
      </pre>
      {raw.length > most && (
        <button type="button" class="small" onClick={() => setMost(most * 10)}>
          Show more
        </button>
      )}
      <p class="note">
        Marks that are not seen, or that turn the direction of text, are shown as \u escapes; what is copied has them.
      </p>
    </div>
  );
}

/** Saves a text as a file. */
function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(address);
}
