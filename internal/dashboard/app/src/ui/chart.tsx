import "uplot/dist/uPlot.min.css";
import "../styles/chart.css";
import { isDark } from "../core/theme";
import { Plotted, type ChartProps } from "./plotted";

export { seriesColor, type Series } from "./plot";

/**
 * A chart over time. It keeps its height whatever comes, redraws in place when the data change, and shows the values of a time on hover and
 * by the arrow keys. Screen readers find its highest value, each time's values by the keys, and all numbers in the table beside it.
 */
export function Chart(props: ChartProps) {
  return <Plotted {...props} look={isDark.value ? "dark" : "light"} />;
}
