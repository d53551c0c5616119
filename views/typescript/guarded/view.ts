/* A limit of the tokens of each team in each UTC day: an event that would bring its team over it is not appended.
 *
 * Fields    /team, /tokens
 * Config    {"limit":1000}, of a team in a day; 100000 unless it is given
 * State     "2025-03-01/search": {"tokens":900}
 *           "uncounted": {"tokens_not_a_number":2,"last_sequence":17}
 * Query     none             {"2025-03-01/search":{"tokens":900},...}
 *           day=2025-03-01   the same of one day
 * Guard     admits           {"remaining":100}
 *           429              {"limit":1000,"used":900,"resets_at":"2025-03-02T00:00:00Z"}, until then
 *           403              {"limit":1000}, for more tokens than that in one event: it never fits
 *           409              {"reason":"tokens_not_a_number"}, for what could not be counted
 *
 * The day is that of recording: the event's own time is up to who sends it. An event without tokens is ignored, and admitted. */

import {
  Answer, ANSWER_BYTES, Date, Decimal, Event, fail, Folded, Json, json, KEY_BYTES, Kind, NO_TIME, noteUncounted, parseTime, Query, Refusal,
  refuse, register, shown, state, Text, Totals, Verdict, View, Writer,
} from "./tally";

export { tally_alloc, tally_event_room, tally_fields, tally_fold, tally_fold_batch, tally_guard, tally_query } from "./tally";

enum Fields {
  Team,
  Tokens,
}

const SLASH: u8 = 0x2f;
const DASH: u8 = 0x2d;
const DAY_BYTES = 10; // 2025-03-01
const SECOND: i64 = 1000000; // times are in microseconds
const DAY: i64 = 86400 * SECOND;
const DEFAULT_LIMIT = 100000;

const totals = new Totals(["tokens"]);
const UNCOUNTED = Text.of("uncounted");

class DailyLimit extends View {
  private limit: Decimal = Decimal.from(DEFAULT_LIMIT); // of a team in a day

  configure(config: Json): bool {
    for (const members = config.members(); members.next(); ) {
      if (!members.name.is("limit")) {
        fail(`unknown member ${shown(members.name)}: this view knows limit`);
        return false;
      }
      const limit = members.value.kind() == Kind.Number ? members.value.decimal() : null;
      if (limit == null || limit.isNegative()) {
        fail("limit must be a number of tokens, 0 or more");
        return false;
      }
      this.limit = limit;
    }
    return true;
  }

  fields(): string[] {
    return ["/team", "/tokens"];
  }

  /** Takes every event: no guard was asked about those that the log held before. */
  fold(event: Event): Folded {
    const usage = new Usage(event);
    if (!usage.given) return Folded.Ignored;
    const key = usage.key;
    if (key == null) return noteUncounted(UNCOUNTED, [usage.fault], event.sequence) ? Folded.Applied : Folded.Failed;
    if (!totals.load(key) || !totals.add(0, usage.tokens)) return Folded.Failed;
    totals.store();
    return Folded.Applied;
  }

  /** Decides on an event before it is appended. It sees the state that fold made of all events before it. */
  guard(event: Event): Verdict {
    const usage = new Usage(event);
    if (!usage.given) return Verdict.admit();
    const out = Writer.make().beginObject();
    const key = usage.key;
    if (key == null) {
      out.name(Text.of("reason")).string(Text.of(usage.fault!)).endObject();
      return Verdict.refuse(Refusal.Conflict, out);
    }
    const tokens = usage.tokens!;
    if (tokens.compare(this.limit) > 0) {
      out.name(Text.of("limit")).decimal(this.limit).endObject();
      return Verdict.refuse(Refusal.Forbidden, out);
    }
    if (!totals.load(key)) return Verdict.failed();
    const left = this.limit.copy();
    if (!left.add(totals.get(0).negated()) || !left.add(tokens.negated()) || left.isNegative()) {
      return this.overLimit(event.recordedAt, totals.get(0), out);
    }
    return Verdict.admit(out.name(Text.of("remaining")).decimal(left).endObject());
  }

  /** Refuses an event until the next day begins. */
  private overLimit(now: i64, used: Decimal, out: Writer): Verdict {
    const midnight = Date.of(now).days() * DAY + DAY;
    const resets = putDay(Writer.make(), midnight).putString("T00:00:00Z").text();
    out.name(Text.of("limit")).decimal(this.limit).name(Text.of("used")).decimal(used);
    out.name(Text.of("resets_at")).string(resets).endObject();
    return Verdict.refuseFor((midnight - now + SECOND - 1) / SECOND, out);
  }

  query(query: Query): Answer {
    let prefix = Text.at(0, 0);
    while (query.next()) {
      if (!query.name.is("day")) return refuse(`unknown parameter ${shown(query.name)}: this view knows day=2025-03-01`);
      if (parseTime(Writer.make().put(query.value).putString("T00:00:00Z").text()) == NO_TIME) {
        return refuse(`day is ${shown(query.value)}, which is not a day like 2025-03-01`);
      }
      prefix = Writer.make().put(query.value).putByte(SLASH).text();
    }
    const out = Writer.make().beginObject();
    for (const scan = state.scan(prefix); scan.next(); ) {
      out.name(scan.key).raw(scan.value);
      if (out.len >= ANSWER_BYTES) return refuse("the answer passes 1 MiB: ask for one day, or read the view's state page by page");
    }
    return json(out.endObject());
  }
}

/** What the view counts of an event. */
class Usage {
  /** Whether the event has tokens. */
  given: bool = false;
  /** Why they cannot be counted; null if they can, and then the others are there. */
  fault: string | null = null;
  tokens: Decimal | null = null;
  /** Of the team's day in the state. */
  key: Text | null = null;

  constructor(event: Event) {
    this.given = event.field(Fields.Tokens).isGiven();
    if (this.given) this.fault = this.read(event);
  }

  /** Why the tokens cannot be counted; null if they can. */
  private read(event: Event): string | null {
    const tokens = event.field(Fields.Tokens);
    this.tokens = tokens.decimal();
    if (this.tokens == null) return "tokens_" + tokens.uncounted()!;
    const team = event.field(Fields.Team).label();
    if (team == null) return "team_not_text";
    this.key = putDay(Writer.make(64), event.recordedAt).putByte(SLASH).put(team).key();
    if (this.key != null) return null;
    return DAY_BYTES + 1 + team.len > KEY_BYTES ? "team_too_long" : "team_has_nul";
  }
}

/** 2025-03-01 */
function putDay(out: Writer, time: i64): Writer {
  const date = Date.of(time);
  return out.putNumber(date.year, 4).putByte(DASH).putNumber(date.month, 2).putByte(DASH).putNumber(date.day, 2);
}

register(new DailyLimit());
