import type { Answer, Schemas } from "@tallystick/client";
import type { ComponentChildren } from "preact";
import { exact } from "../../core/format";
import { SelectField, TextField } from "../../ui/form";
import { Section } from "../../ui/page";
import type { Chosen } from "./what";

/** The options of a deployment as they are typed; "" leaves one to the server. */
export interface OptionTexts {
  gas: string;
  onHalt: string;
}

export function noOptions(before: { gas: number; on_halt?: string } | undefined): OptionTexts {
  return { gas: before ? String(before.gas) : "", onHalt: before?.on_halt ?? "" };
}

/** What of the options the server is told. */
export function optionsOf(texts: OptionTexts): Pick<Schemas["DeployModule"], "gas" | "on_halt"> {
  const gas = texts.gas.replaceAll(/[\s,_]/g, "");
  return {
    ...(gas === "" ? {} : { gas: Number(gas) }),
    ...(texts.onHalt === "admit" || texts.onHalt === "refuse" ? { on_halt: texts.onHalt } : {}),
  };
}

/** The version of a ready view, the budget of a fold, and what halts mean for appends. */
export function Options(props: {
  value: OptionTexts;
  onChange: (value: OptionTexts) => void;
  chosen: Chosen;
  ready: Answer<"list-ready-views">["views"][number] | undefined;
  onChoose: (chosen: Chosen) => void;
  children: ComponentChildren;
}) {
  const { value, onChange, ready, chosen } = props;
  const versions = ready?.versions ?? [];
  const newest = versions.at(-1)?.version;
  return (
    <Section title="Options" note="Nothing here needs to be set.">
      <div class="filters">
        {ready && (
          <SelectField
            name="Version"
            value={chosen.ready?.split("@")[1] ?? ""}
            options={[
              ["", `the newest${newest === undefined ? "" : `: ${ready.name}@${newest}`}`],
              ...versions.map((one): [string, string] => [String(one.version), `${ready.name}@${one.version}`]),
            ]}
            onInput={(version) => props.onChoose({ ready: version === "" ? ready.name : `${ready.name}@${version}` })}
            hint="The newest is the newest of this server, now."
          />
        )}
        <TextField
          name="Gas"
          value={value.gas}
          placeholder={ready ? exact(ready.gas) : "the server's own"}
          onInput={(gas) => onChange({ ...value, gas })}
          hint="The budget of one event's fold. A view halts at an event that takes more."
        />
        <SelectField
          name="Appends while it is halted"
          value={value.onHalt}
          options={[
            ["", "as before; admitted at first"],
            ["admit", "admitted without its guard"],
            ["refuse", "refused"],
          ]}
          onInput={(onHalt) => onChange({ ...value, onHalt })}
          hint="For views with a guard, which decides on events before they are appended."
        />
      </div>
      {props.children}
    </Section>
  );
}
