import { bytes } from "../../core/format";
import { link } from "../../core/route";
import { client } from "../../core/session";
import { CopyButton } from "../../ui/copy";
import { Pages } from "../../ui/more";
import { Empty } from "../../ui/states";
import { Table } from "../../ui/table";
import { Hash, Time } from "../../ui/values";

/** The modules that the tenant has. */
export function Modules() {
  return (
    <Pages
      deps={[]}
      every={10_000}
      load={async (cursor, signal) => {
        const page = await client.value.listModules({ cursor, limit: 100, signal });
        return { items: page.modules, next: page.next_cursor };
      }}
    >
      {(modules) =>
        modules.length === 0 ? (
          <Empty title="There is no module yet.">
            <p>One is uploaded when it is deployed: drop its .wasm file on the page that deploys a view.</p>
          </Empty>
        ) : (
          <Table
            name="Modules"
            rows={modules}
            id={(one) => one.module}
            columns={[
              {
                name: "SHA-256",
                cell: (one) => (
                  <span class="row">
                    <Hash of={one.module} /> <CopyButton text={one.module} name="Copy the SHA-256" />
                  </span>
                ),
              },
              { name: "Ready view", cell: (one) => one.ready ?? <span class="dim">one of your own</span> },
              { name: "Size", number: true, cell: (one) => <span class="num">{bytes(one.bytes)}</span> },
              {
                name: "Kept",
                wide: true,
                cell: (one) => (one.deployed ? "for ever, since it was deployed" : "among the last 32 uploaded"),
              },
              { name: "Since", wide: true, cell: (one) => <Time at={one.created_at} /> },
              {
                name: "",
                cell: (one) => (
                  <a class="button small" href={link(["deploy"], { module: one.module })}>
                    Deploy<span class="unseen"> {one.module.slice(0, 12)} on a pattern</span>
                  </a>
                ),
              },
            ]}
          />
        )
      }
    </Pages>
  );
}
