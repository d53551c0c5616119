import { useResource } from "../../core/resource";
import { client } from "../../core/session";
import { Snippet } from "../../ui/copy";
import { Section } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { shellWord } from "../log/append";
import { asTallyError } from "../../core/resource";

/** The log's head, signed, and how it is checked without the server. */
export function Checkpoint(props: { log: string }) {
  const { log } = props;
  const signed = useResource(
    async (signal) => {
      try {
        const note = await client.value.getCheckpoint(log, { signal });
        return { note, key: await client.value.getCheckpointKey({ signal }) };
      } catch (error) {
        if (asTallyError(error).code === "no_signing_key") return { missing: true };
        throw error;
      }
    },
    [log],
  );
  const name = shellWord(log);
  return (
    <Section
      title="Checkpoint"
      note="The head, signed: whoever keeps it can hold the log against it at any time."
      actions={
        signed.data &&
        "note" in signed.data && (
          <button type="button" class="small" onClick={signed.reload}>
            Sign the head of now
          </button>
        )
      }
    >
      <Loaded of={signed} lines={6}>
        {(one) =>
          "missing" in one ? (
            <Empty title="This server signs no checkpoints.">
              <p>
                Whoever runs it makes a key by <code>tally keygen</code>, and starts it with <code>--signing-key</code>.
                Until then note a head by hand: its sequence and hash are above, and can be given to a later
                verification.
              </p>
            </Empty>
          ) : (
            <>
              <Snippet name="checkpoint" text={one.note} />
              <p>
                To check without asking the server: export the log, keep the checkpoint, and take the verifier key from
                a source that you trust, such as a contract. This server says that its key is
              </p>
              <Snippet name="verifier key" text={one.key} />
              <Snippet
                name="offline verification"
                text={`tally checkpoint ${name} --file log.checkpoint
tally events export ${name} --file log.ndjson.zst
tally verify --export log.ndjson.zst --checkpoint log.checkpoint --verifier-key verifier.txt`}
              />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
