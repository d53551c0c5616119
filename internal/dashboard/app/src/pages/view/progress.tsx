import type { Schemas } from "@tallystick/client";
import { duration, rounded } from "../../core/format";
import { Num, Progress } from "../../ui/values";

type Build = Schemas["BuildProgress"];

/** How far a build is, on a line: its bar and the time that is left. */
export function BuildBar(props: { of: Build; name: string }) {
  const { of } = props;
  return (
    <Progress name={`Build of ${props.name}`} of={shareOf(of)}>
      {Math.floor(shareOf(of) * 100)} %<span class="dim"> · {timeLeft(of)}</span>
    </Progress>
  );
}

/** How far a build is: its bar over the whole width, and events, rate and time left in words. */
export function BuildProgress(props: { of: Build; name: string }) {
  const { of } = props;
  return (
    <div class="build">
      <progress aria-label={`Build of ${props.name}`} max={1} value={shareOf(of)} />
      <p class="build-words">
        <span>
          <Num of={of.done} /> of <Num of={of.total} unit="events" />
        </span>
        <span class="num">{Math.floor(shareOf(of) * 100)} %</span>
        <span class="num">{of.events_per_second > 0 ? `${rounded(of.events_per_second)} events/s` : "–"}</span>
        <span class="num">{timeLeft(of)}</span>
      </p>
    </div>
  );
}

function shareOf(of: Build): number {
  return of.total > 0 ? Math.min(1, of.done / of.total) : 0;
}

function timeLeft(of: Build): string {
  if (of.done >= of.total) return "going live";
  return of.seconds_left === undefined ? "time left not known yet" : `${duration(of.seconds_left * 1000)} left`;
}
