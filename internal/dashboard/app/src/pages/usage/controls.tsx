import { zone as viewersZone } from "../../core/format";
import { route } from "../../core/route";
import { SelectField, TextField } from "../../ui/form";
import { choose, noGroups, type Choice } from "./choice";
import type { MeterConfig } from "./meter";
import { addDays, dateText, dayAt, isZone, readDate } from "./zoned";

export const windowNames: Readonly<Record<string, string>> = {
  minute: "Minutes",
  quarter_hour: "Quarter hours",
  hour: "Hours",
  day: "Days",
  week: "Weeks",
  month: "Months",
};

const ranges = [
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
  ["month", "This month"],
  ["last-month", "Last month"],
  ["year", "This year"],
  ["all", "All there is"],
  ["own", "Own dates"],
] as const;

const zones = ["UTC", ...Intl.supportedValuesOf("timeZone")];

/** What of a meter is shown, to choose. */
export function Controls(props: { config: MeterConfig; choice: Choice }) {
  const { config, choice } = props;
  const { range, zone } = choice;
  const { tz = "" } = route.value.query;
  const first = range.from === undefined ? "" : dateText(dayAt(range.from, zone));
  const last = range.to === undefined ? "" : dateText(dayAt(range.to - 1, zone));
  const own = (from: string, to: string) => {
    const end = readDate(to);
    choose({ range: "own", from, to: end ? dateText(addDays(end, 1)) : "" });
  };
  const groupOptions: [string, string][] = [
    [noGroups, "Nothing"],
    ...config.groups.map((name): [string, string] => [name, name]),
    ...(config.groups.length > 1 ? [[config.groups.join(","), "All of these"] as [string, string]] : []),
  ];
  return (
    <div class="filters usage-controls">
      <SelectField
        name="Range"
        value={range.name}
        options={config.resolution === "day" ? ranges.slice(1) : ranges}
        onInput={(value) => (value === "own" ? own(first, last) : choose({ range: value, from: "", to: "" }))}
      />
      <TextField name="From" type="date" value={first} onInput={(value) => own(value, last)} />
      <TextField name="To, with that day" type="date" value={last} onInput={(value) => own(first, value)} />
      <SelectField
        name="Windows"
        value={choice.window}
        options={choice.windows.map((name) => [name, windowNames[name] ?? name] as const)}
        onInput={(value) => choose({ window: value })}
      />
      {config.groups.length > 0 && (
        <SelectField
          name="Stacked by"
          value={choice.groups.length === 0 ? noGroups : choice.groups.join(",")}
          options={groupOptions}
          onInput={(value) => choose({ group: value })}
        />
      )}
      {config.aggregations.length > 1 && (
        <SelectField
          name="Show"
          value={choice.aggregation}
          options={config.aggregations.map((name) => [name, name] as const)}
          onInput={(value) => choose({ show: value })}
        />
      )}
      {config.resolution !== "day" && (
        <TextField
          name="Time zone"
          value={tz === "" ? zone : tz}
          list={zones}
          onInput={(value) => choose({ tz: value === config.zone ? "" : value })}
          hint={tz !== "" && !isZone(tz) ? `No such zone: ${zone} is shown.` : zoneHint(config, zone)}
        />
      )}
      <label class="check usage-compare">
        <input
          type="checkbox"
          checked={choice.compare}
          disabled={range.before === undefined}
          onInput={(event) => choose({ compare: event.currentTarget.checked ? "1" : "" })}
        />
        Compare with the period before
      </label>
    </div>
  );
}

function zoneHint(config: MeterConfig, zone: string) {
  const other = zone !== config.zone ? config.zone : viewersZone;
  if (other === zone) return zone === config.zone ? "That of the meter." : undefined;
  return (
    <>
      {zone === config.zone ? "That of the meter. " : ""}
      <button type="button" class="link" onClick={() => choose({ tz: other === config.zone ? "" : other })}>
        {other === config.zone ? `As the meter: ${other}` : `Yours: ${other}`}
      </button>
    </>
  );
}
