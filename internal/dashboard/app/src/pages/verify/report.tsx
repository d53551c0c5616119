import { bytes, duration } from "../../core/format";
import { link } from "../../core/route";
import { may } from "../../core/session";
import { visible } from "../../ui/json";
import { Facts, Section } from "../../ui/page";
import { Table } from "../../ui/table";
import { Hash, Name, Num, Status, Time } from "../../ui/values";
import type { Report } from "./run";

const faults: Readonly<Record<string, string>> = {
  event_changed: "An event is not what was chained.",
  event_missing: "Events are missing.",
  events_swapped: "Two neighbours have changed places.",
  sequence_duplicate: "There are more events than sequences.",
  recorded_backwards: "An event says that it was recorded before the one in front of it.",
  head_mismatch: "The log’s head is not its last event’s.",
  event_beyond_head: "There is an event after the log’s end.",
  keys_missing: "Idempotency keys are gone, or too many: a retry could be counted twice.",
  log_truncated: "The log ends before the head that was noted.",
  history_rewritten: "The chain is whole, but another one than that whose head was noted.",
};

/** What was read, what was compared, and what was found, in plain words. */
export function ReportOf(props: { log: string; report: Report }) {
  const { log, report } = props;
  return (
    <Section title="Result" class="verify-result">
      <p class={`verdict ${report.ok ? "good" : "bad"}`} role="status">
        <strong>{report.ok ? "Everything is as it was recorded." : "Something is not as it was recorded."}</strong>{" "}
        {summary(report)}
      </p>
      <Facts
        rows={[
          [
            "Read",
            <span key="read">
              <Num of={report.events} /> events, {bytes(report.bytes)}, <Num of={report.from} /> to{" "}
              <Num of={report.to} />
            </span>,
          ],
          ["Head", <Hash key="head" of={report.hash} />],
          [
            "Noted head",
            report.noted ? (
              <span key="noted">
                <Num of={report.noted.sequence} />, <Hash of={report.noted.hash} />
              </span>
            ) : (
              "none was given"
            ),
          ],
          ["Faults", <Num key="wrong" of={report.wrong} />],
          [
            "Finished",
            <span key="finished">
              <Time at={report.finished_at} />, after {duration(report.seconds * 1000)}
            </span>,
          ],
        ]}
      />
      {report.faults.length > 0 && (
        <Table
          name="Faults in the log"
          rows={report.faults}
          id={(fault) => `${fault.kind} ${fault.sequence} ${fault.detail}`}
          columns={[
            {
              name: "Event",
              number: true,
              cell: (fault) => <a href={link(["logs", log, "events", String(fault.sequence)])}>{fault.sequence}</a>,
            },
            { name: "What is wrong", cell: (fault) => <>{faults[fault.kind] ?? fault.kind}</> },
            { name: "In the server’s words", wide: true, cell: (fault) => <bdi>{visible(fault.detail)}</bdi> },
          ]}
        />
      )}
      {report.views.map((one) => (
        <ViewVerdict key={one.view} log={log} of={one} />
      ))}
    </Section>
  );
}

function summary(report: Report): string {
  const chain = report.wrong === 0 ? "The chain is whole and leads to the head" : "The log itself has faults";
  if (report.views.length === 0) return `${chain}. No view was folded again.`;
  const wrong = report.views.filter((one) => !one.ok).length;
  if (wrong === 0) return `${chain}, and every view’s state is what the events give.`;
  return `${chain}; views: ${wrong} of ${report.views.length} ${wrong === 1 ? "is" : "are"} not what the events give, or could not be folded.`;
}

/** What folding a view's events again came to, with the first key that differs. */
function ViewVerdict(props: { log: string; of: Report["views"][number] }) {
  const { log, of } = props;
  const { audit } = of;
  const difference = audit?.difference;
  return (
    <div class="verify-view">
      <h3 class="row">
        <Name of={of.view} href={may("deploy", "query", "read") ? link(["logs", log, "views", of.view]) : ""} />
        <Status of={of.ok ? "ok" : "failed"}>
          {difference ? "differs" : !of.ok ? "not verified" : audit ? "the same" : "retired"}
        </Status>
      </h3>
      {audit && (
        <p class="note">
          <Num of={audit.events} /> events folded in {audit.ways.length} ways, <Num of={audit.keys} /> keys of version{" "}
          {audit.version} compared
          {audit.skipped > 0 && (
            <>
              , <Num of={audit.skipped} /> events left out as it was resumed past them
            </>
          )}
          .
        </p>
      )}
      {of.detail !== undefined && (
        <p>
          <bdi>{of.detail}</bdi> <code>{of.code}</code>
        </p>
      )}
      {difference && (
        <Facts
          rows={[
            [
              "After event",
              <a key="event" href={link(["logs", log, "events", String(difference.sequence)])}>
                {difference.sequence}
              </a>,
            ],
            ["Key", <code key="key">{visible(difference.key)}</code>],
            ["By the events", <Side key="expected" of={difference.expected} />],
            [visible(difference.way), <Side key="found" of={difference.found} />],
          ]}
        />
      )}
    </div>
  );
}

function Side(props: { of: string | null }) {
  return props.of === null ? <span class="dim">no such key</span> : <code>{visible(props.of)}</code>;
}
