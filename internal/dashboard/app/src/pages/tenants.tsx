import { useState } from "preact/hooks";
import { go, link } from "../core/route";
import { client } from "../core/session";
import { Dialog } from "../ui/dialog";
import { Form, TextField, useAction } from "../ui/form";
import { LimitFields, LimitList, limitsOf, type LimitTexts } from "../ui/limits";
import { Pages } from "../ui/more";
import { Page } from "../ui/page";
import { Needs } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Status, Time } from "../ui/values";

/** All tenants, for operators. */
export function TenantsPage() {
  const [making, setMaking] = useState(false);
  return (
    <Page title="Tenants">
      <Needs scopes={["operator"]}>
        <p>
          <button type="button" class="primary" onClick={() => setMaking(true)}>
            New tenant
          </button>
        </p>
        {making && <NewTenant onClose={() => setMaking(false)} />}
        <Pages
          deps={[]}
          every={10_000}
          load={async (cursor, signal) => {
            const page = await client.value.listTenants({ cursor, signal });
            return { items: page.tenants, next: page.next_cursor };
          }}
        >
          {(tenants) => (
            <Table
              name="Tenants"
              rows={tenants}
              id={(tenant) => tenant.tenant_id}
              columns={[
                { name: "Tenant", cell: (tenant) => <Name of={tenant.name} href={link(["tenants", tenant.name])} /> },
                { name: "State", cell: (tenant) => <Status of={tenant.suspended ? "suspended" : "active"} /> },
                { name: "Made", cell: (tenant) => <Time at={tenant.created_at} /> },
                { name: "Limits", wide: true, cell: (tenant) => <LimitList of={tenant.limits} /> },
              ]}
            />
          )}
        </Pages>
      </Needs>
    </Page>
  );
}

function NewTenant(props: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [limits, setLimits] = useState<LimitTexts>({});
  const action = useAction(async () => {
    const tenant = await client.value.createTenant({ name: name.trim(), limits: limitsOf(limits) });
    go(["tenants", tenant.name]);
  });
  return (
    <Dialog title="New tenant" onClose={props.onClose}>
      <Form submit="Make the tenant" action={action}>
        <TextField name="Name" value={name} onInput={setName} required hint="Letters, digits and . _ : @ + = ~ -" />
        <LimitFields of="tenant" value={limits} onInput={setLimits} />
      </Form>
    </Dialog>
  );
}
