/* The tokens of each model in each UTC month, exactly, and how many values could not be counted.
 *
 * Fields    /model, /tokens_in, /tokens_out
 * State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
 *           "uncounted/2025-03/gpt-4": {"tokens_in_not_a_number":2,"last_sequence":17}
 * Query     month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000,"uncounted":2}}
 *           none            {"2025-03":{"gpt-4":{...}},...}
 *           uncounted       {"2025-03":{"gpt-4":{"tokens_in_not_a_number":2,"last_sequence":17}}}, with month= for one
 * Config    none
 *
 * The month is that of the event's time. Tokens are numbers, or strings that read as JSON numbers, of up to 45 digits before the
 * point and 27 after it. A field that is missing or null is no tokens; an event with neither field is ignored. Any other value is
 * left out and counted as such, by reason: tokens_in_not_a_number, tokens_in_has_too_many_digits, and the same of tokens_out. A
 * missing model or null is kept under "". One that cannot be part of a key is counted there, its tokens left out: model_not_text (an
 * array, an object), model_too_long (over 1,016 bytes), model_has_nul; so is an event whose year does not have four digits, as
 * time_out_of_range of the month "". An answer says "uncounted" of the models that have some. */

import {
  Answer, ANSWER_BYTES, Event, Folded, foreign, isMonth, json, KEY_BYTES, monthOf, noteUncounted, Query, refuse, register, shown, state,
  sumUncounted, Text, Totals, View, Writer,
} from "./tally";

export { tally_alloc, tally_event_room, tally_fields, tally_fold, tally_fold_batch, tally_query } from "./tally";

enum Fields {
  Model,
  TokensIn,
  TokensOut,
}

enum Total {
  In,
  Out,
}

const SLASH: u8 = 0x2f;
const PREFIX_BYTES = 8; // 2025-03/

const totals = new Totals(["tokens_in", "tokens_out"]);
const NO_TOTALS = Text.of('{"tokens_in":0,"tokens_out":0}');
const UNCOUNTED = Text.of("uncounted/");

class MonthlyTotals extends View {
  fields(): string[] {
    return ["/model", "/tokens_in", "/tokens_out"];
  }

  fold(event: Event): Folded {
    const tokensIn = event.field(Fields.TokensIn).decimal();
    const tokensOut = event.field(Fields.TokensOut).decimal();
    const leftOutIn = tokensIn == null && event.field(Fields.TokensIn).isGiven();
    const leftOutOut = tokensOut == null && event.field(Fields.TokensOut).isGiven();
    if (tokensIn == null && tokensOut == null && !leftOutIn && !leftOutOut) return Folded.Ignored;
    const key = keyOf(event);
    if (key == null) return leaveOut(event);
    if (tokensIn != null || tokensOut != null) {
      if (!totals.load(key) || !totals.add(Total.In, tokensIn) || !totals.add(Total.Out, tokensOut)) return Folded.Failed;
      totals.store();
    }
    return leftOutIn || leftOutOut ? leaveOutTokens(event) : Folded.Applied;
  }

  query(query: Query): Answer {
    let month: Text | null = null;
    let uncounted = false;
    while (query.next()) {
      if (query.name.is("month")) {
        if (month != null) return refuse("month is given twice: give it once");
        if (!isMonth(query.value)) return refuse(`month is ${shown(query.value)}, which is not a year and a month like 2025-03`);
        month = query.value;
      } else if (query.name.is("uncounted")) {
        if (uncounted) return refuse("uncounted is given twice: give it once");
        uncounted = true;
      } else {
        return refuse(`unknown parameter ${shown(query.name)}: this view knows month=2025-03 and uncounted`);
      }
    }
    return answer(month, uncounted);
  }
}

register(new MonthlyTotals());

// ---- Folding ----

/** 2025-03/gpt-4; null if the model or the time cannot be part of a key. */
function keyOf(event: Event): Text | null {
  const model = event.field(Fields.Model).label();
  const month = monthOf(event.time);
  if (model == null || month == null) return null;
  return Writer.make(PREFIX_BYTES + model.len).put(month).putByte(SLASH).put(model).key();
}

/** Why the model cannot be part of a key; null if it can. */
function whyNoName(event: Event): string | null {
  const model = event.field(Fields.Model).label();
  if (model == null) return "model_not_text";
  if (model.len > KEY_BYTES - PREFIX_BYTES) return "model_too_long";
  return model.indexOf(0) >= 0 ? "model_has_nul" : null;
}

/** Counts an event that has no key as one that was left out. */
function leaveOut(event: Event): Folded {
  const why = whyNoName(event);
  const month = monthOf(event.time);
  return month == null ? note(event, why == null, ["time_out_of_range"]) : note(event, false, [why]);
}

/** Counts the token fields that are there and no decimals. */
function leaveOutTokens(event: Event): Folded {
  const tokensIn = event.field(Fields.TokensIn).uncounted();
  const tokensOut = event.field(Fields.TokensOut).uncounted();
  return note(event, true, [reason("tokens_in", tokensIn), reason("tokens_out", tokensOut)]);
}

function reason(name: string, why: string | null): string | null {
  return why == null ? null : `${name}_${why}`;
}

/** Counts the reasons that there are, under the event's model or under "", as where the key would be too long. */
function note(event: Event, named: bool, reasons: (string | null)[]): Folded {
  const key = Writer.make().put(UNCOUNTED);
  const month = monthOf(event.time);
  if (month != null) key.put(month);
  key.putByte(SLASH);
  const model = event.field(Fields.Model).label();
  if (named && model != null && key.len + model.len <= KEY_BYTES) key.put(model);
  return noteUncounted(key.text(), reasons, event.sequence) ? Folded.Applied : Folded.Failed;
}

// ---- Answering ----

/** {"gpt-4":{...},...} for a month, {"2025-03":{"gpt-4":{...},...},...} for all. */
function answer(month: Text | null, uncounted: bool): Answer {
  const prefix = Writer.make();
  if (month != null) prefix.put(month).putByte(SLASH);
  const sums = new Places(uncounted ? null : state.scan(prefix.text()), 0);
  const counts = new Places(state.scan(Writer.make().put(UNCOUNTED).put(prefix.text()).text()), UNCOUNTED.len);
  let open: Text | null = null; // the month whose object is not closed yet
  const out = Writer.make().beginObject();
  for (let place = first(sums, counts); place != null; place = first(sums, counts)) {
    const slash = place.indexOf(SLASH);
    const group = place.slice(0, slash);
    if (month == null && (open == null || !group.equals(open))) {
      if (open != null) out.endObject();
      out.name(group).beginObject();
      open = group;
    }
    out.name(place.slice(slash + 1));
    const sum = sums.take(place);
    const count = counts.take(place);
    if (count == null) {
      out.raw(sum!);
    } else {
      const n = sumUncounted(count);
      if (n < 0) return refuse(foreign(Writer.make().put(UNCOUNTED).put(place).text()));
      if (uncounted) out.raw(count);
      else withCount(out, sum == null ? NO_TOTALS : sum, n);
    }
    if (isTooLarge(out)) return tooLarge();
  }
  if (open != null) out.endObject();
  return json(out.endObject());
}

/** {"tokens_in":1482000,"tokens_out":3291000,"uncounted":2} */
function withCount(out: Writer, totals: Text, n: i64): void {
  out.raw(totals.slice(0, totals.len - 1)).putString(',"uncounted":').putNumber(n).putByte(0x7d);
}

/** A scan by its places, such as 2025-03/gpt-4, which are its keys without what they begin with. */
class Places {
  /** The place at hand; null if there is no more. */
  at: Text | null = null;

  constructor(private scan: state.Scan | null, private before: i32) {
    this.next();
  }

  private next(): void {
    const scan = this.scan;
    if (scan == null || !scan.next()) this.at = null;
    else if (this.before == 0 && scan.key.slice(0, UNCOUNTED.len).equals(UNCOUNTED)) this.at = null; // all totals come before
    else this.at = scan.key.slice(this.before);
  }

  /** The value of a place, where it is the one at hand, and goes on then; else null. */
  take(place: Text): Text | null {
    const at = this.at;
    if (at == null || !at.equals(place)) return null;
    const value = this.scan!.value;
    this.next();
    return value;
  }
}

/** The lower place at hand; null if there is none. */
function first(a: Places, b: Places): Text | null {
  const left = a.at;
  const right = b.at;
  if (left == null) return right;
  return right == null || left.compare(right) <= 0 ? left : right;
}

/** Whether there is no room for the two brackets that may still be open. */
function isTooLarge(out: Writer): bool {
  return out.len > ANSWER_BYTES - 2;
}

function tooLarge(): Answer {
  return refuse(
    "the answer passes 1 MiB: ask for one month, or for one name where the view takes one, or read the view's state page by page",
  );
}
