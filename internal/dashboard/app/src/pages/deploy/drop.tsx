import { useId, useRef, useState } from "preact/hooks";
import { bytes } from "../../core/format";
import { client } from "../../core/session";
import { useAction } from "../../ui/form";
import { visible } from "../../ui/json";
import { Problem } from "../../ui/states";
import { Facts } from "../../ui/page";

const mostBytes = 4 << 20; // of a module, as the server takes it

interface Uploaded {
  name: string;
  bytes: number;
  sha256: string;
}

/** Takes a module: a file that is dropped here, or chosen. It is uploaded at once, which checks it, and deploys nothing. */
export function DropModule(props: { onUploaded: (sha256: string) => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const file = useRef<File | undefined>(undefined);
  const [over, setOver] = useState(false);
  const [uploaded, setUploaded] = useState<Uploaded | undefined>();
  const upload = useAction(async () => {
    const taken = file.current;
    setUploaded(undefined);
    if (!taken) return;
    if (taken.size > mostBytes)
      throw new Error(`${visible(taken.name)} has ${bytes(taken.size)}; a module has 4 MiB at most.`);
    if (!isSecureContext) {
      throw new Error(
        "The browser hashes files only on pages that come by TLS or from localhost. Use one of these, or: tally deploy.",
      );
    }
    const sha256 = await client.value.uploadModule(new Uint8Array(await taken.arrayBuffer()));
    setUploaded({ name: taken.name, bytes: taken.size, sha256 });
    props.onUploaded(sha256);
  });
  const take = (files: FileList | null | undefined) => {
    file.current = files?.[0];
    if (file.current) upload.start();
  };
  return (
    <div
      class={over ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <p>
        Or a module of your own: drop a <code>.wasm</code> file here, or{" "}
        <button type="button" class="small" aria-busy={upload.busy} onClick={() => input.current?.click()}>
          choose a file
        </button>
        <input
          ref={input}
          id={id}
          class="drop-input"
          type="file"
          accept=".wasm,application/wasm"
          tabIndex={-1}
          aria-label="A module of your own"
          onChange={(event) => {
            take(event.currentTarget.files);
            event.currentTarget.value = ""; // the same file may be chosen again
          }}
        />
      </p>
      <div role="status">
        {upload.busy && <p class="note">Uploading and checking it.</p>}
        {uploaded && (
          <Facts
            rows={[
              ["File", <bdi>{visible(uploaded.name)}</bdi>],
              ["Size", bytes(uploaded.bytes)],
              ["SHA-256", <code class="drop-hash">{uploaded.sha256}</code>],
            ]}
          />
        )}
      </div>
      {upload.error && <Problem error={upload.error} />}
    </div>
  );
}
