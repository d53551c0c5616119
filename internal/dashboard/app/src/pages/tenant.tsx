import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { useResource } from "../core/resource";
import { go, link } from "../core/route";
import { actIn, caller, client } from "../core/session";
import { Confirm } from "../ui/dialog";
import { Form, useAction } from "../ui/form";
import { LimitFields, limitsOf, textsOf } from "../ui/limits";
import { Facts, Page, Section } from "../ui/page";
import { Loaded, Needs } from "../ui/states";
import { Status, Time } from "../ui/values";

/** One tenant: its state, its limits, and acting in it. */
export function TenantPage(props: { tenant: string }) {
  return (
    <Page title={props.tenant} crumbs={[{ name: "Tenants", href: link(["tenants"]) }]}>
      <Needs scopes={["operator"]}>
        <Found name={props.tenant} />
      </Needs>
    </Page>
  );
}

function Found(props: { name: string }) {
  const tenant = useResource((signal) => client.value.getTenant(props.name, { signal }), [props.name]);
  return (
    <Loaded of={tenant}>
      {(one) => (
        <div class="halves">
          <Standing of={one} changed={tenant.reload} />
          <Limits key={JSON.stringify(one.limits)} of={one} changed={tenant.reload} />
        </div>
      )}
    </Loaded>
  );
}

function Standing(props: { of: Schemas["Tenant"]; changed: () => void }) {
  const { name, suspended, suspended_at, created_at, tenant_id } = props.of;
  const enter = async () => {
    await actIn(name);
    go([]);
  };
  return (
    <Section title="State">
      <Facts
        rows={[
          ["State", <Status of={suspended ? "suspended" : "active"} />],
          ...(suspended ? ([["Suspended", <Time at={suspended_at} />]] as [string, preact.ComponentChild][]) : []),
          ["Made", <Time at={created_at} />],
          ["Id", <code>{tenant_id}</code>],
        ]}
      />
      <p class="row">
        {caller.value?.tenant !== name && (
          <button type="button" onClick={() => void enter()}>
            Act in this tenant
          </button>
        )}
        <Confirm
          name={suspended ? "Resume" : "Suspend"}
          question={suspended ? `Let ${name} append again?` : `Suspend ${name}?`}
          run={async () => {
            await client.value.updateTenant(name, { suspended: !suspended });
            props.changed();
          }}
        >
          <p>
            {suspended
              ? "Its appends are taken again at once."
              : "Its appends are refused with 403, and it creates no logs. Reading, queries and everything else go on."}
          </p>
        </Confirm>
      </p>
    </Section>
  );
}

function Limits(props: { of: Schemas["Tenant"]; changed: () => void }) {
  const [texts, setTexts] = useState(textsOf(props.of.limits));
  const action = useAction(async () => {
    await client.value.updateTenant(props.of.name, { limits: limitsOf(texts) });
    props.changed();
  });
  return (
    <Section title="Limits">
      <Form submit="Set the limits" action={action}>
        <LimitFields of="tenant" value={texts} onInput={setTexts} />
      </Form>
    </Section>
  );
}
