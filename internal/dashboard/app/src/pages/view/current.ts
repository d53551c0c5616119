import { TallyError, type Schemas } from "@tallystick/client";
import { client } from "../../core/session";

/** The version of a view that answers; of a retired view, of which the server answers with 410, the newest one. */
export async function currentView(log: string, view: string, signal: AbortSignal): Promise<Schemas["View"]> {
  try {
    return await client.value.getView(log, view, { signal });
  } catch (error) {
    if (!(error instanceof TallyError) || error.code !== "view_retired") throw error;
    const { versions } = await client.value.listViewVersions(log, view, { limit: 1, signal });
    if (!versions[0]) throw error;
    return versions[0];
  }
}
