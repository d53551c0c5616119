import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { useResource } from "../core/resource";
import { go, link } from "../core/route";
import { client, may } from "../core/session";
import { Confirm, Dialog } from "../ui/dialog";
import { Form, useAction } from "../ui/form";
import { Once } from "../ui/once";
import { Facts, Page, Section } from "../ui/page";
import { Loaded, Needs, Problem } from "../ui/states";
import { Name, Status, Time } from "../ui/values";
import { Deliveries } from "./deliveries";
import { WebhookFields, type WebhookTexts } from "./webhookform";
import { standing } from "./webhooks";

/** One webhook: what it is told, its secret, and what became of each message. */
export function WebhookPage(props: { webhook: string }) {
  const webhook = useResource(
    may("admin") ? (signal) => client.value.getWebhook(props.webhook, { signal }) : undefined,
    [props.webhook],
    {
      every: 5_000,
    },
  );
  return (
    <Page title={webhook.data?.url ?? "Webhook"} crumbs={[{ name: "Webhooks", href: link(["webhooks"]) }]}>
      <Needs scopes={["admin"]}>
        <Loaded of={webhook}>{(one) => <Standing of={one} changed={webhook.reload} />}</Loaded>
        <Deliveries webhook={props.webhook} />
      </Needs>
    </Page>
  );
}

function Standing(props: { of: Schemas["Webhook"]; changed: () => void }) {
  const { of: webhook } = props;
  const [editing, setEditing] = useState(false);
  const [secret, setSecret] = useState<string | undefined>();
  const id = webhook.webhook_id;
  const test = useAction(async () => {
    await client.value.testWebhook(id);
  });
  const able = useAction(async () => {
    await client.value.updateWebhook(id, { enabled: !webhook.enabled });
    props.changed();
  });
  const failure = test.error ?? able.error;
  return (
    <Section title="Receiver">
      <Facts
        rows={[
          ["State", <Status of={standing(webhook)} />],
          ["Why", webhook.disabled_why ?? (webhook.failing_since ? <FailingSince at={webhook.failing_since} /> : "–")],
          ["Told of", webhook.types.length > 0 ? webhook.types.join(", ") : "everything"],
          ["Logs", <Name of={webhook.logs ?? "*"} mono />],
          ["Description", <Name of={webhook.description ?? "–"} />],
          ["Made", <MadeBy at={webhook.created_at} by={webhook.created_by} />],
          ["Former secret", webhook.former_until ? <FormerUntil at={webhook.former_until} /> : "none in use"],
        ]}
      />
      <p class="row">
        <button type="button" onClick={() => setEditing(true)}>
          Change
        </button>
        <button type="button" onClick={test.start} aria-busy={test.busy}>
          Send a test
        </button>
        <button type="button" onClick={able.start} aria-busy={able.busy}>
          {webhook.enabled ? "Disable" : "Enable"}
        </button>
        <Confirm
          name="New secret"
          question="Give it a new secret?"
          run={async () => {
            setSecret((await client.value.rotateWebhookSecret(id)).secret);
            props.changed();
          }}
        >
          <p>
            For a day, messages are signed with the present secret too, so that the receiver can change to the new one.
          </p>
        </Confirm>
        <Confirm
          name="Delete"
          question="Delete this webhook?"
          run={async () => {
            await client.value.deleteWebhook(id);
            go(["webhooks"]);
          }}
        >
          <p>Messages that wait are not delivered, and its deliveries are forgotten.</p>
        </Confirm>
      </p>
      {failure && <Problem error={failure} />}
      {editing && (
        <Change
          of={webhook}
          onClose={() => setEditing(false)}
          changed={() => {
            setEditing(false);
            props.changed();
          }}
        />
      )}
      {secret !== undefined && <Once title="The new secret" secret={secret} onClose={() => setSecret(undefined)} />}
    </Section>
  );
}

function FailingSince(props: { at: string }) {
  return (
    <>
      Its tries fail since <Time at={props.at} />.
    </>
  );
}

function MadeBy(props: { at: string; by: string }) {
  return (
    <>
      <Time at={props.at} /> by <Name of={props.by} />
    </>
  );
}

function FormerUntil(props: { at: string }) {
  return (
    <>
      signs too until <Time at={props.at} />
    </>
  );
}

function Change(props: { of: Schemas["Webhook"]; onClose: () => void; changed: () => void }) {
  const { webhook_id, url, description = "", logs = "", types } = props.of;
  const [texts, setTexts] = useState<WebhookTexts>({ url, description, logs, types });
  const action = useAction(async () => {
    await client.value.updateWebhook(webhook_id, { ...texts, types: [...texts.types] });
    props.changed();
  });
  return (
    <Dialog title="Change the webhook" onClose={props.onClose}>
      <Form submit="Save" action={action}>
        <WebhookFields value={texts} onInput={setTexts} />
      </Form>
    </Dialog>
  );
}
