import { useState } from "preact/hooks";
import type { Schemas } from "@tallystick/client";
import { link } from "../core/route";
import { client } from "../core/session";
import { Dialog } from "../ui/dialog";
import { Form, useAction } from "../ui/form";
import { Pages } from "../ui/more";
import { Once } from "../ui/once";
import { Page } from "../ui/page";
import { Empty, Needs } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Status, Time } from "../ui/values";
import { WebhookFields, type WebhookTexts } from "./webhookform";

/** Who is told of what happens. */
export function WebhooksPage() {
  const [version, setVersion] = useState(0);
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | undefined>();
  return (
    <Page title="Webhooks">
      <Needs scopes={["admin"]}>
        <p>
          <button type="button" class="primary" onClick={() => setMaking(true)}>
            New webhook
          </button>
        </p>
        {making && (
          <NewWebhook
            onClose={() => setMaking(false)}
            made={(secret) => {
              setMaking(false);
              setSecret(secret);
              setVersion(version + 1);
            }}
          />
        )}
        {secret !== undefined && (
          <Once title="The webhook's secret" secret={secret} onClose={() => setSecret(undefined)} />
        )}
        <Pages
          deps={[]}
          version={version}
          every={5_000}
          load={async (cursor, signal) => {
            const page = await client.value.listWebhooks({ cursor, signal });
            return { items: page.webhooks, next: page.next_cursor };
          }}
        >
          {(webhooks) => (webhooks.length === 0 ? <None /> : <WebhookTable webhooks={webhooks} />)}
        </Pages>
      </Needs>
    </Page>
  );
}

function None() {
  return (
    <Empty title="Nobody is told of anything yet.">
      <p>A webhook is told when an alert fires, a view halts, or a key is about to end.</p>
    </Empty>
  );
}

/** How a webhook stands, in a word. */
export function standing(webhook: Schemas["Webhook"]): string {
  if (!webhook.enabled) return "disabled";
  return webhook.failing_since ? "failing" : "active";
}

function WebhookTable(props: { webhooks: readonly Schemas["Webhook"][] }) {
  return (
    <Table
      name="Webhooks"
      rows={props.webhooks}
      id={(webhook) => webhook.webhook_id}
      columns={[
        { name: "Address", cell: (webhook) => <Name of={webhook.url} href={link(["webhooks", webhook.webhook_id])} /> },
        { name: "State", cell: (webhook) => <Status of={standing(webhook)} /> },
        { name: "Told of", cell: (webhook) => (webhook.types.length > 0 ? webhook.types.join(", ") : "everything") },
        { name: "Logs", wide: true, cell: (webhook) => <Name of={webhook.logs ?? "*"} mono /> },
        { name: "Description", wide: true, cell: (webhook) => <Name of={webhook.description ?? ""} /> },
        { name: "Made", wide: true, cell: (webhook) => <Time at={webhook.created_at} /> },
      ]}
    />
  );
}

function NewWebhook(props: { onClose: () => void; made: (secret: string) => void }) {
  const [texts, setTexts] = useState<WebhookTexts>({ url: "", description: "", logs: "", types: [] });
  const action = useAction(async () => {
    const { url, description, logs, types } = texts;
    const { secret } = await client.value.createWebhook({
      url: url.trim(),
      types: [...types],
      ...(description === "" ? {} : { description }),
      ...(logs === "" ? {} : { logs }),
    });
    props.made(secret);
  });
  return (
    <Dialog title="New webhook" onClose={props.onClose}>
      <Form submit="Make the webhook" action={action}>
        <WebhookFields value={texts} onInput={setTexts} />
      </Form>
    </Dialog>
  );
}
