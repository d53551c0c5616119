import type { Answer, Schemas } from "@tallystick/client";
import { useMemo, useState } from "preact/hooks";
import { go, refine, route } from "../../core/route";
import { client } from "../../core/session";
import { TextField, useAction } from "../../ui/form";
import { Section } from "../../ui/page";
import { Problem } from "../../ui/states";
import { configOf, type Config } from "./config";
import { ConfigEditor } from "./editor";
import { noOptions, Options, optionsOf, type OptionTexts } from "./options";
import { Preview, usePreview } from "./preview";
import { partOf, type Part } from "./problem";
import { refusalsOf } from "./refusals";
import { own, SchemaReader } from "./schema";
import { chosenModule, What, type Chosen } from "./what";

type ReadyView = Answer<"list-ready-views">["views"][number];

/** What a view has that is deployed again. */
type Before = Pick<Schemas["View"], "module" | "ready" | "config" | "gas" | "on_halt">;

/** A deployment while it is put together: what, its name, its configuration, a try over real events, and the deploy itself. */
export function Deployment(props: { log: string | undefined; ready: ReadyView[]; before: Before | undefined }) {
  const { log, ready, before } = props;
  const { query } = route.value;
  const chosen = chosenModule(query, before);
  const readyView = ready.find((one) => one.name === chosen?.ready?.split("@")[0]);
  const reader = useMemo(() => readyView && new SchemaReader(readyView.config), [readyView]);
  const name = query["view"] ?? readyView?.name ?? "";
  const logs = query["logs"] ?? "";
  const [config, setConfig] = useState<Config>(() => configOf(before ? before.config : begin(reader)));
  const [options, setOptions] = useState<OptionTexts>(() => noOptions(before));
  const preview = usePreview();
  const [last, setLast] = useState<"deploy" | "preview">("preview"); // which was asked for, whose refusal counts
  const deployment = () => ({
    ...(chosen?.ready === undefined ? { module: chosen?.module ?? "" } : { ready: chosen.ready }),
    config: config.value,
    ...optionsOf(options),
  });
  const asked = JSON.stringify([chosen, config.text, options]);
  const deploy = useAction(async () => {
    if (log === undefined) {
      await client.value.deployViewPattern(name, deployment(), { logs: logs || undefined });
      go(["views", name]);
    } else {
      await client.value.deployView(log, name, deployment());
      go(["logs", log, "views", name]);
    }
  });
  const choose = (next: Chosen) => {
    const other = ready.find((one) => one.name === next.ready?.split("@")[0]);
    refine({
      ready: next.ready,
      module: next.module,
      view: query["view"] === readyView?.name ? undefined : query["view"],
    });
    if (other !== readyView || other === undefined) setConfig(configOf(begin(other && new SchemaReader(other.config))));
  };
  const failed = last === "deploy" ? deploy.error : preview.error;
  const refusals = useMemo(() => refusalsOf(failed, config.value), [failed]); // of the configuration that was refused
  const problem = (part: Part) => failed && partOf(failed) === part && <Problem error={failed} />;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const isDeploy = (event.submitter as HTMLButtonElement | null)?.value === "deploy";
    setLast(isDeploy ? "deploy" : "preview");
    if (isDeploy) deploy.start();
    else preview.start(preview.log ?? log ?? "", name, deployment(), asked);
  };
  return (
    <form class="deploy" onSubmit={submit} aria-label="Deployment">
      <What ready={ready} chosen={chosen} onChoose={choose} />
      {problem("what")}
      {chosen && (
        <>
          <Section title="Name">
            <div class="filters">
              <TextField
                name="Name of the view"
                value={name}
                required
                onInput={(view) => refine({ view })}
                hint="By this it is asked. A name that is there gets a new version, which takes over once it is built."
              />
              {log === undefined && (
                <TextField
                  name="Logs"
                  value={logs}
                  required={!before}
                  placeholder="customer-*"
                  onInput={(text) => refine({ logs: text })}
                  hint="The pattern of their names: * stands for any run of characters. Later logs that match get the view too."
                />
              )}
            </div>
            {problem("name")}
          </Section>
          <Section title="Configuration" note={reader && reader.text(reader.root, "title")}>
            <ConfigEditor
              key={readyView?.name ?? ""}
              reader={reader}
              config={config}
              refusals={refusals}
              onChange={setConfig}
            />
            {problem("config")}
          </Section>
          <Options value={options} onChange={setOptions} chosen={chosen} ready={readyView} onChoose={choose}>
            {problem("options")}
          </Options>
          <Preview of={preview} log={log} pattern={logs} current={asked}>
            {last === "preview" && problem("rest")}
          </Preview>
          <div class="deploy-end">
            {last === "deploy" && problem("rest")}
            <button type="submit" value="deploy" class="primary" aria-disabled={deploy.busy} aria-busy={deploy.busy}>
              {deploy.busy ? "Deploying" : "Deploy"}
            </button>
            <span class="note">
              {log === undefined
                ? "Every log that matches gets it, from its first event on."
                : "It is built from the log's first event on, and answers once it is at the head."}
            </span>
          </div>
        </>
      )}
    </form>
  );
}

/** What a configuration begins as. */
function begin(reader: SchemaReader | undefined): unknown {
  const given = reader && own(reader.root, "default");
  return given ?? {};
}
