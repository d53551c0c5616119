import { TallyError } from "@tallystick/client";
import { useMemo, useState } from "preact/hooks";
import { sum } from "../pages/usage/decimals";
import { drawn, groupText, isAdditive, valueOf, type MeterAnswer } from "../pages/usage/meter";
import { bounds, rangeOf, usualWindow, type Range, type RangeName, type Resolution } from "../pages/usage/range";
import { isZone, type WindowName } from "../pages/usage/zoned";
import { Plotted } from "../ui/plotted";
import { Note, type PartProps } from "./embedded";
import { useWatch } from "./session";
import { fill } from "./texts";

const ranges = ["7d", "30d", "month", "last-month", "year"] as const;
const mostRows = 2_000;

interface Told {
  answer: MeterAnswer;
  range: Range;
  window: WindowName;
}

/** What a meter has counted in a period: its total, by days or months, stacked by a group. */
export function MeterPart(props: PartProps & { zone: string; resolution: Resolution }) {
  const { asked, options, language, resolution } = props;
  const { texts } = language;
  const wanted = options.timezone && isZone(options.timezone) ? options.timezone : props.zone;
  const zone = isZone(wanted) ? wanted : "UTC";
  const [chosen, setChosen] = useState<RangeName | undefined>(undefined);
  const name = chosen ?? ranges.find((one) => one === options.range) ?? "month";
  const day = Math.floor(Date.now() / 3_600_000);
  const range = useMemo(() => rangeOf(name, { from: "", to: "" }, zone, Date.now()), [name, zone, day]);
  const window = usualWindow(resolution, range, Date.now());
  const groups = options.groupBy === "" ? [] : options.groupBy.split(",");
  const question = {
    window,
    timezone: zone,
    ...bounds(range),
    group_by: groups.join(",") || undefined,
    limit: mostRows,
  };
  const [told, setTold] = useState<Told | undefined>(undefined);
  const [failure, setFailure] = useState<"refused" | "unreachable" | undefined>(undefined);
  useWatch<MeterAnswer>(
    asked.tally,
    asked.log,
    asked.view,
    question,
    (item) => {
      setFailure(item.problem && "unreachable");
      if (!item.problem) setTold({ answer: item.answer, range, window });
    },
    (error) => {
      const { status } = error instanceof TallyError ? error : { status: undefined };
      if (status === 401) asked.expired();
      else setFailure(status === 400 || status === 403 || status === 404 ? "refused" : "unreachable");
    },
  );
  return (
    <>
      <header>
        {told ? <Total {...props} told={told} /> : <p class="total">{"\u00a0"}</p>}
        <label>
          <span class="unseen">{texts.period}</span>
          <select value={name} onInput={(event) => setChosen(event.currentTarget.value as RangeName)}>
            {ranges.map((one) => (
              <option key={one} value={one}>
                {texts[one]}
              </option>
            ))}
          </select>
        </label>
      </header>
      {failure && <Note text={texts[failure]} isBad={failure === "refused"} />}
      {!told && !failure && <Note text={texts.loading} />}
      {told && told.answer.rows.length === 0 && <p class="quiet">{texts.empty}</p>}
      {told && told.answer.rows.length > 0 && <Shown {...props} told={told} groups={groups} zone={zone} />}
    </>
  );
}

type Shows = PartProps & { told: Told };

/** What is shown of the rows: the aggregation that is asked for, else the sum where there is one. */
function aggregationOf(answer: MeterAnswer, wanted: string): string {
  const [row] = answer.rows;
  const names = Object.keys(row ?? {}).filter((name) => name !== "from" && name !== "to" && name !== "group");
  if (names.includes(wanted)) return wanted;
  return names.includes("sum") ? "sum" : (names[0] ?? "count");
}

function Total({ told, options, language }: Shows) {
  const aggregation = aggregationOf(told.answer, options.show);
  const total = isAdditive(aggregation) ? sum(told.answer.rows.map((row) => valueOf(row, aggregation))) : undefined;
  return (
    <p class="total">
      {total !== undefined && told.answer.next === undefined && (
        <>
          <span class="dim">{language.texts.total}</span> <strong>{language.number(total)}</strong>{" "}
          <span class="dim">{options.unit}</span>
        </>
      )}
      {"\u00a0"}
    </p>
  );
}

function Shown({ told, options, language, groups, zone }: Shows & { groups: readonly string[]; zone: string }) {
  const { answer, range, window } = told;
  const { texts } = language;
  const aggregation = aggregationOf(answer, options.show);
  const names = {
    all: options.unit || texts.value,
    others: (n: number) => fill(texts.others, String(n)),
    none: texts.none,
  };
  const chart = useMemo(
    () => drawn(answer.rows, { span: range, window, zone, aggregation, groups, names }),
    [told, aggregation, groups.join(","), zone, language],
  );
  const written = (text: string | undefined) => text && language.number(text);
  const series = useMemo(
    () => chart.series.map((one) => ({ ...one, texts: one.texts?.map(written) })),
    [chart, language],
  );
  const sums = useMemo(() => chart.sums && { name: texts.total, texts: chart.sums.map(written) }, [chart, language]);
  const rows = answer.rows.toReversed().slice(0, 500);
  return (
    <>
      <Plotted
        name={options.unit || texts.value}
        times={chart.times}
        end={chart.end}
        series={series}
        kind={chart.kind}
        sum={sums}
        zone={zone}
        language={language.tag}
        height={240}
        format={language.about}
        label={(at) => language.date((chart.times[at] ?? 0) * 1000, zone, window)}
        look={options.look}
      />
      <details>
        <summary>{texts.table}</summary>
        <div class="table" tabIndex={0} role="region" aria-label={texts.table}>
          <table>
            <thead>
              <tr>
                <th scope="col">{texts.time}</th>
                {groups.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
                <th scope="col" class="right">
                  {options.unit || texts.value}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={`${row.from ?? ""}${JSON.stringify(row.group)}`}>
                  <td>{language.date(Date.parse(row.from ?? ""), zone, window)}</td>
                  {groups.map((name) => (
                    <td key={name}>
                      <bdi>{groupText(row, [name], texts.none)}</bdi>
                    </td>
                  ))}
                  <td class="right">{written(valueOf(row, aggregation)) ?? "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
