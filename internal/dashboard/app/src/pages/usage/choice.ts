import { useMemo } from "preact/hooks";
import { refine, route } from "../../core/route";
import { hour } from "./live";
import type { MeterConfig } from "./meter";
import { rangeOf, usualWindow, windowsFor, type Range, type RangeName } from "./range";
import { isZone, type WindowName } from "./zoned";

/** What a viewer has chosen to see of a meter. It is in the fragment of the address; what is left out there has a default. */
export interface Choice {
  range: Range;
  window: WindowName;
  windows: readonly WindowName[];
  aggregation: string;
  /** The names of the groups that are told apart. */
  groups: readonly string[];
  zone: string;
  compare: boolean;
}

export const noGroups = "-";

export function useChoice(config: MeterConfig): Choice {
  const { query } = route.value;
  const hourNow = hour.value;
  return useMemo(() => {
    const { range = "month", from = "", to = "", window = "", show = "", group, tz = "", compare } = query;
    const ownZone = isZone(config.zone) ? config.zone : "UTC";
    const zone = config.resolution !== "day" && tz !== "" && isZone(tz) ? tz : ownZone;
    const span = rangeOf(range as RangeName, { from, to }, zone, hourNow) as Range | undefined;
    const shown = span ?? rangeOf("month", { from, to }, zone, hourNow);
    const windows = windowsFor(config.resolution, shown, hourNow);
    const [first = "count"] = config.aggregations;
    return {
      range: shown,
      windows,
      window: windows.find((name) => name === window) ?? usualWindow(config.resolution, shown, hourNow),
      aggregation: config.aggregations.includes(show) ? show : config.aggregations.includes("sum") ? "sum" : first,
      groups:
        group === undefined
          ? config.groups.slice(0, 1)
          : config.groups.filter((name) => group.split(",").includes(name)),
      zone,
      compare: compare === "1" && shown.before !== undefined,
    };
  }, [query, config, hourNow]);
}

/** Chooses something else. A window that was chosen for another range is let go, where that has none of its kind. */
export function choose(
  change: Partial<Record<"range" | "from" | "to" | "window" | "show" | "group" | "tz" | "compare", string>>,
): void {
  refine(change);
}
