import type { Schemas } from "@tallystick/client";
import { client } from "../../core/session";
import { Confirm } from "../../ui/dialog";

/** Retires a view, once its name is typed. */
export function RetireView(props: { log: string; view: Schemas["View"]; reload: () => void }) {
  const { log, view, reload } = props;
  return (
    <Confirm
      name="Retire"
      question={`Retire ${view.name} on ${log}`}
      typed={view.name}
      run={async () => {
        await client.value.retireView(log, view.name);
        reload();
      }}
    >
      <p>All its versions fold and answer no more. A deployment, or going back to a version, brings it back.</p>
      {view.guard && <p>Its guard then refuses nothing: events are appended without it.</p>}
    </Confirm>
  );
}
