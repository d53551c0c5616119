import type { Answer, Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { useResource } from "../../core/resource";
import { client } from "../../core/session";
import { SelectField } from "../../ui/form";
import { Section } from "../../ui/page";
import { Hash } from "../../ui/values";
import { DropModule } from "./drop";

/** What is to be deployed: a ready view by its name, perhaps with a version, or a module by its SHA-256. */
export interface Chosen {
  ready?: string;
  module?: string;
}

/** What the address chooses, or else what the view had before. */
export function chosenModule(
  query: Readonly<Record<string, string>>,
  before: Pick<Schemas["View"], "module" | "ready"> | undefined,
): Chosen | undefined {
  const { ready, module } = query;
  if (ready !== undefined) return { ready };
  if (module !== undefined) return { module };
  if (before?.ready !== undefined) return { ready: before.ready.split("@")[0] ?? before.ready };
  return before && { module: before.module };
}

/** The choice among ready views, and a module of one's own. */
export function What(props: {
  ready: Answer<"list-ready-views">["views"];
  chosen: Chosen | undefined;
  onChoose: (chosen: Chosen) => void;
}) {
  const { chosen, onChoose } = props;
  const name = chosen?.ready?.split("@")[0];
  return (
    <Section title="What to deploy">
      <div class="cards" role="radiogroup" aria-label="Ready views">
        {props.ready.map((view) => (
          <label key={view.name} class="card">
            <input
              type="radio"
              name="what"
              checked={name === view.name}
              onChange={() => onChoose({ ready: view.name })}
            />
            <span>
              <strong>
                <bdi>{view.title}</bdi>
              </strong>{" "}
              <code>{view.name}</code>
              <br />
              <span class="note">
                <bdi>{view.description}</bdi>
              </span>
            </span>
          </label>
        ))}
      </div>
      <DropModule onUploaded={(module) => onChoose({ module })} />
      <Uploaded chosen={chosen} onChoose={onChoose} />
    </Section>
  );
}

/** The modules that the server has already. */
function Uploaded(props: { chosen: Chosen | undefined; onChoose: (chosen: Chosen) => void }) {
  const { chosen, onChoose } = props;
  const [asked, setAsked] = useState(false);
  const modules = useResource(asked ? (signal) => client.value.listModules({ limit: 200, signal }) : undefined, [
    asked,
    chosen?.module,
  ]);
  if (!asked) {
    return (
      <p class="row">
        <button type="button" class="small" onClick={() => setAsked(true)}>
          One that the server has
        </button>
        {chosen?.module !== undefined && (
          <span>
            Module <Hash of={chosen.module} />
          </span>
        )}
      </p>
    );
  }
  const own = (modules.data?.modules ?? []).filter((one) => one.ready === undefined || one.module === chosen?.module);
  return (
    <SelectField
      name="A module that the server has"
      value={chosen?.module ?? ""}
      options={[
        ["", own.length === 0 ? "none was uploaded yet" : "choose"],
        ...own.map((one): [string, string] => [
          one.module,
          `${one.module.slice(0, 16)}… · ${one.bytes} bytes${one.deployed ? " · deployed" : ""}`,
        ]),
      ]}
      onInput={(module) => module !== "" && onChoose({ module })}
    />
  );
}
