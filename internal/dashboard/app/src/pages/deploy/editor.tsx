import { useEffect, useId, useRef } from "preact/hooks";
import { readConfig, configOf, type Config } from "./config";
import { SchemaField } from "./fields";
import { useValidity } from "./draft";
import { RefusalsContext, type Refusals } from "./refusals";
import { own, type SchemaReader } from "./schema";

/** A configuration as a form and as JSON, side by side and in step. Without a schema it is JSON alone. */
export function ConfigEditor(props: {
  reader: SchemaReader | undefined;
  config: Config;
  refusals: Refusals;
  onChange: (config: Config) => void;
}) {
  const { reader, config, refusals, onChange } = props;
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const first = form.current?.querySelector<HTMLElement>("[data-refused]");
    (first?.querySelector<HTMLElement>("[aria-invalid=true]") ?? first)?.focus();
  }, [refusals]);
  const isForm = reader !== undefined && reader.shape(reader.root).kind !== "json";
  return (
    <>
      {reader && <Examples reader={reader} onChange={onChange} />}
      <div class={isForm ? "config config-two" : "config"}>
        {reader && isForm && (
          <div ref={form} class="config-form" role="group" aria-label="Configuration as a form">
            {config.problem !== undefined || config.deep ? (
              <p class="quiet">
                {config.deep
                  ? "This is nested too deeply for the form: edit it as JSON."
                  : "The form shows the configuration again once the JSON can be read."}
              </p>
            ) : (
              <RefusalsContext.Provider value={refusals}>
                <SchemaField
                  reader={reader}
                  schema={reader.root}
                  value={config.value}
                  onChange={(value) => onChange(configOf(value ?? {}))}
                  name=""
                  path={[]}
                  at=""
                  required
                  removable={false}
                />
              </RefusalsContext.Provider>
            )}
          </div>
        )}
        <JsonText config={config} onChange={onChange} />
      </div>
    </>
  );
}

function JsonText(props: { config: Config; onChange: (config: Config) => void }) {
  const id = useId();
  const { config } = props;
  const field = useValidity<HTMLTextAreaElement>(config.problem);
  return (
    <div class="config-text">
      <label for={id} class="config-name">
        Configuration as JSON
      </label>
      <textarea
        ref={field}
        id={id}
        spellcheck={false}
        dir="ltr"
        aria-invalid={config.problem !== undefined}
        rows={Math.min(36, Math.max(12, config.text.split("\n").length + 1))}
        value={config.text}
        onInput={(event) => props.onChange(readConfig(event.currentTarget.value))}
      />
      <p class="config-doubt" role="status">
        {config.problem ?? ""}
      </p>
    </div>
  );
}

/** What a view's schema gives as examples, to begin with. */
function Examples(props: { reader: SchemaReader; onChange: (config: Config) => void }) {
  const examples = own(props.reader.root, "examples");
  if (!Array.isArray(examples) || examples.length === 0) return null;
  return (
    <p class="row">
      <span class="dim">Begin with</span>
      {examples.slice(0, 10).map((example: unknown, i) => (
        <button key={i} type="button" class="small" onClick={() => props.onChange(configOf(example))}>
          {examples.length === 1 ? "the example" : `example ${i + 1}`}
        </button>
      ))}
      <button type="button" class="small" onClick={() => props.onChange(configOf({}))}>
        nothing
      </button>
    </p>
  );
}
