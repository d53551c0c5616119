import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { useResource } from "../core/resource";
import { link, oneOf, refine, route } from "../core/route";
import { client } from "../core/session";
import { duration } from "../core/format";
import { Confirm, Dialog } from "../ui/dialog";
import { SelectField, useAction } from "../ui/form";
import { Json } from "../ui/json";
import { Pages } from "../ui/more";
import { Section } from "../ui/page";
import { Empty, Loaded, Problem } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Num, Status, Time } from "../ui/values";

const states = ["pending", "delivered", "dead"] as const;

type Delivery = Schemas["WebhookDelivery"];

/** What became of each message to a webhook; each can be looked at, and sent again. */
export function Deliveries(props: { webhook: string }) {
  const { status = "" } = route.value.query;
  const [version, setVersion] = useState(0);
  const [shown, setShown] = useState<string | undefined>();
  const changed = () => setVersion((n) => n + 1);
  return (
    <Section title="Deliveries">
      <div class="filters">
        <SelectField
          name="State"
          value={status}
          options={[
            ["", "All"],
            ["pending", "Pending"],
            ["delivered", "Delivered"],
            ["dead", "Dead: given up"],
          ]}
          onInput={(value) => refine({ status: value })}
        />
        <p>
          <Confirm
            name="Send the dead ones again"
            question="Send again what was given up?"
            run={async () => {
              await client.value.replayDeadDeliveries(props.webhook);
              changed();
            }}
          >
            <p>Each message goes with the id that it had, so that a receiver can tell what it has already.</p>
          </Confirm>
        </p>
      </div>
      <Pages
        deps={[props.webhook, status]}
        version={version}
        every={2_000}
        load={async (cursor, signal) => {
          const page = await client.value.listDeliveries(props.webhook, {
            cursor,
            limit: 50,
            status: oneOf(status, states),
            signal,
          });
          return { items: page.deliveries, next: page.next_cursor };
        }}
      >
        {(deliveries) =>
          deliveries.length === 0 ? (
            <Empty title="No message yet.">
              <p>“Send a test” sends one.</p>
            </Empty>
          ) : (
            <DeliveryTable deliveries={deliveries} show={setShown} />
          )
        }
      </Pages>
      {shown !== undefined && (
        <DeliveryDialog
          webhook={props.webhook}
          delivery={shown}
          onClose={() => setShown(undefined)}
          changed={changed}
        />
      )}
    </Section>
  );
}

function DeliveryTable(props: { deliveries: readonly Delivery[]; show: (id: string) => void }) {
  return (
    <Table
      name="Deliveries"
      rows={props.deliveries}
      id={(one) => one.delivery_id}
      columns={[
        { name: "When", cell: (one) => <Time at={one.created_at} /> },
        { name: "Tells", cell: (one) => <code>{one.type}</code> },
        { name: "State", cell: (one) => <Status of={one.status} /> },
        { name: "Tries", number: true, cell: (one) => <Num of={one.attempts} /> },
        { name: "Next try", wide: true, cell: (one) => <Time at={one.next_at} relative /> },
        { name: "Log", wide: true, cell: (one) => one.log && <Name of={one.log} href={link(["logs", one.log])} /> },
        { name: "Why not", wide: true, cell: (one) => <Name of={one.error ?? ""} /> },
        {
          name: "Do",
          cell: (one) => (
            <button type="button" class="small" onClick={() => props.show(one.delivery_id)}>
              Look
            </button>
          ),
        },
      ]}
    />
  );
}

function DeliveryDialog(props: { webhook: string; delivery: string; onClose: () => void; changed: () => void }) {
  const { webhook, delivery } = props;
  const detail = useResource((signal) => client.value.getDelivery(webhook, delivery, { signal }), [webhook, delivery], {
    every: 2_000,
  });
  const again = useAction(async () => {
    await client.value.replayDelivery(webhook, delivery);
    detail.reload();
    props.changed();
  });
  return (
    <Dialog title="Delivery" onClose={props.onClose}>
      <Loaded of={detail} lines={8}>
        {(one) => (
          <div class="form">
            <p class="row">
              <Status of={one.status} /> <code>{one.delivery_id}</code>
              {one.status !== "pending" && (
                <button type="button" onClick={again.start} aria-busy={again.busy}>
                  Send again
                </button>
              )}
            </p>
            {again.error && <Problem error={again.error} />}
            <Json name="message" value={one.message} />
            <Tries of={one.tries} />
          </div>
        )}
      </Loaded>
    </Dialog>
  );
}

function Tries(props: { of: readonly Schemas["DeliveryAttempt"][] }) {
  if (props.of.length === 0) return <Empty title="It was not tried yet." />;
  return (
    <Table
      name="Tries"
      rows={props.of}
      id={(one) => one.attempt}
      columns={[
        { name: "Try", number: true, cell: (one) => one.attempt },
        { name: "When", cell: (one) => <Time at={one.at} /> },
        { name: "Took", number: true, cell: (one) => duration(one.duration_ms) },
        { name: "Answer", cell: (one) => one.status ?? "none" },
        { name: "Text", cell: (one) => <Name of={[one.error, one.answer].filter((text) => text).join(" · ")} mono /> },
      ]}
    />
  );
}
