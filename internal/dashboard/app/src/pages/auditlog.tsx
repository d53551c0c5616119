import { client } from "../core/session";
import { Pages } from "../ui/more";
import { Page } from "../ui/page";
import { Empty, Needs } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Time } from "../ui/values";
import { visible } from "../ui/json";

/** What was done in the tenant with keys, views, alerts and the rest, by whom. */
export function AuditLogPage() {
  return (
    <Page title="Audit log">
      <Needs scopes={["admin"]}>
        <Pages
          deps={[]}
          every={5_000}
          load={async (cursor, signal) => {
            const page = await client.value.listAuditLog({ cursor, signal });
            return { items: page.entries, next: page.next_cursor };
          }}
        >
          {(entries) =>
            entries.length === 0 ? (
              <Empty title="Nothing was done yet that is recorded here." />
            ) : (
              <Table
                name="Audit log"
                rows={entries}
                id={(entry) => entry.entry_id}
                columns={[
                  { name: "When", cell: (entry) => <Time at={entry.at} /> },
                  { name: "Who", cell: (entry) => <Name of={entry.actor} /> },
                  { name: "What", cell: (entry) => <code>{entry.action}</code> },
                  { name: "To", cell: (entry) => <Name of={entry.target} /> },
                  { name: "Detail", wide: true, cell: (entry) => <Name of={short(entry.detail)} mono /> },
                ]}
              />
            )
          }
        </Pages>
      </Needs>
    </Page>
  );
}

function short(detail: unknown): string {
  const text = visible(JSON.stringify(detail));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
