import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { now } from "../core/clock";
import { caller, client } from "../core/session";
import { Confirm } from "../ui/dialog";
import { LimitList } from "../ui/limits";
import { Pages } from "../ui/more";
import { Once } from "../ui/once";
import { Page } from "../ui/page";
import { Empty, Needs } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Status, Time } from "../ui/values";
import { NewKey } from "./newkey";

type Key = Schemas["Key"];

/** The keys of the tenant: who may do what. */
export function KeysPage() {
  const [version, setVersion] = useState(0);
  const [secret, setSecret] = useState<{ title: string; key: string } | undefined>();
  const changed = () => setVersion((n) => n + 1);
  const made = (title: string, key: string) => {
    setSecret({ title, key });
    changed();
  };
  return (
    <Page title="Keys">
      <Needs scopes={["admin"]}>
        <NewKey made={(key) => made("The new key", key)} />
        <Pages
          deps={[]}
          version={version}
          every={10_000}
          load={async (cursor, signal) => {
            const page = await client.value.listKeys({ cursor, signal });
            return { items: page.keys, next: page.next_cursor };
          }}
        >
          {(keys) =>
            keys.length === 0 ? (
              <Empty title="There is no key." />
            ) : (
              <KeyTable keys={keys} changed={changed} rotated={(key) => made("The key's new secret", key)} />
            )
          }
        </Pages>
      </Needs>
      {secret && <Once title={secret.title} secret={secret.key} onClose={() => setSecret(undefined)} />}
    </Page>
  );
}

function KeyTable(props: { keys: readonly Key[]; changed: () => void; rotated: (key: string) => void }) {
  return (
    <Table
      name="Keys"
      rows={props.keys}
      id={(key) => key.key_id}
      columns={[
        { name: "Name", cell: (key) => <KeyName of={key} /> },
        { name: "State", cell: (key) => <Status of={stateOf(key)} /> },
        { name: "May", cell: (key) => key.scopes.join(", ") },
        { name: "Logs", cell: (key) => <Name of={key.logs} mono /> },
        { name: "Last used", cell: (key) => <Time at={key.last_used_at} relative /> },
        { name: "Ends", wide: true, cell: (key) => (key.expires_at ? <Time at={key.expires_at} /> : "never") },
        { name: "Limits", wide: true, cell: (key) => <LimitList of={key.limits} /> },
        {
          name: "Do",
          cell: (key) => !key.revoked_at && <KeyActions of={key} changed={props.changed} rotated={props.rotated} />,
        },
      ]}
    />
  );
}

function KeyName(props: { of: Key }) {
  const { key_id, name, created_by } = props.of;
  return (
    <>
      <Name of={name} /> {caller.value?.key_id === key_id && <span class="label">yours</span>}
      <br />
      <span class="note">
        <code>{key_id}</code> by <bdi>{created_by}</bdi>
      </span>
    </>
  );
}

function stateOf(key: Key): string {
  if (key.revoked_at) return "revoked";
  return key.expires_at && new Date(key.expires_at).getTime() <= now.value ? "expired" : "active";
}

function KeyActions(props: { of: Key; changed: () => void; rotated: (key: string) => void }) {
  const { key_id, name } = props.of;
  return (
    <span class="row">
      <Confirm
        name="Rotate"
        question={`Give ${name} a new secret?`}
        run={async () => {
          props.rotated((await client.value.rotateKey(key_id)).key);
        }}
      >
        <p>The present secret stays good for an hour, so that programs can change to the new one.</p>
      </Confirm>
      <Confirm
        name="Revoke"
        question={`Revoke ${name}?`}
        run={async () => {
          await client.value.revokeKey(key_id);
          props.changed();
        }}
      >
        <p>Programs that use it are refused within a second. It cannot be taken back.</p>
      </Confirm>
    </span>
  );
}
