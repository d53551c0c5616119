import { link } from "../../core/route";
import { useResource } from "../../core/resource";
import { client } from "../../core/session";
import { Empty, Loaded } from "../../ui/states";
import { Table } from "../../ui/table";
import { Name, Num, Status, Time } from "../../ui/values";
import { What } from "../view/what";

/** The views that are deployed on patterns of logs. */
export function Patterns() {
  const patterns = useResource((signal) => client.value.listViewPatterns({ signal }), [], { every: 5_000 });
  return (
    <Loaded of={patterns}>
      {({ views }) =>
        views.length === 0 ? (
          <Empty title="No view is on a pattern of logs.">
            <p>One deployment then serves every customer: logs that match have the view from their first event on.</p>
            <p>
              <a class="button" href={link(["deploy"])}>
                Deploy on a pattern
              </a>
            </p>
          </Empty>
        ) : (
          <Table
            name="Views on patterns"
            rows={views}
            id={(one) => one.name}
            columns={[
              { name: "View", cell: (one) => <Name of={one.name} href={link(["views", one.name])} /> },
              { name: "Logs", cell: (one) => <Name of={one.logs} mono /> },
              {
                name: "Status",
                cell: (one) => (
                  <span class="row">
                    <Status of={one.status} /> {one.spreading && <Status of="building">spreading</Status>}
                  </span>
                ),
              },
              { name: "What", cell: (one) => <What of={one} /> },
              { name: "Version", wide: true, number: true, cell: (one) => <Num of={one.version} /> },
              { name: "Deployed", wide: true, cell: (one) => <Time at={one.deployed_at} relative /> },
            ]}
          />
        )
      }
    </Loaded>
  );
}
