/* The tokens of each model in each UTC month, exactly.
 *
 * Fields    /model, /tokens_in, /tokens_out
 * State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
 * Question  month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000}}
 *           none            {"2025-03":{"gpt-4":{...}},...}
 * Config    none
 *
 * The month is that of the event's time. Tokens are numbers, or strings that read as JSON numbers, of up to 18 digits before the
 * point and 27 after it. An event is ignored when neither of its token fields is such a number, or when its model cannot be part
 * of a key (an array, an object, over 1,016 bytes, with NUL); one field that is not a number counts 0 beside one that is. A
 * missing model or null is kept under "". */

import {
  Answer, ANSWER_BYTES, Event, Folded, isMonth, json, monthOf, Query, refuse, register, shown, state, Text, Totals, View, Writer,
} from "./tally";

export { tally_alloc, tally_fields, tally_fold, tally_query } from "./tally";

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

class MonthlyTotals extends View {
  fields(): string[] {
    return ["/model", "/tokens_in", "/tokens_out"];
  }

  fold(event: Event): Folded {
    const tokensIn = event.field(Fields.TokensIn).decimal();
    const tokensOut = event.field(Fields.TokensOut).decimal();
    if (tokensIn == null && tokensOut == null) return Folded.Ignored;
    const key = keyOf(event);
    if (key == null) return Folded.Ignored;
    if (!totals.load(key) || !totals.add(Total.In, tokensIn) || !totals.add(Total.Out, tokensOut)) return Folded.Failed;
    totals.store();
    return Folded.Applied;
  }

  query(query: Query): Answer {
    let month: Text | null = null;
    while (query.next()) {
      if (!query.name.is("month")) return refuse(`unknown parameter ${shown(query.name)}: this view knows month=2025-03`);
      if (!isMonth(query.value)) return refuse(`month is ${shown(query.value)}, which is not a year and a month like 2025-03`);
      month = query.value;
    }
    return month == null ? allMonths() : oneMonth(month);
  }
}

register(new MonthlyTotals());

/** 2025-03/gpt-4; null where the model cannot be part of a key. */
function keyOf(event: Event): Text | null {
  const model = event.field(Fields.Model).label();
  const month = monthOf(event.time);
  if (model == null || month == null) return null;
  return Writer.make(PREFIX_BYTES + model.len).put(month).putByte(SLASH).put(model).key();
}

/** {"gpt-4":{...},...} */
function oneMonth(month: Text): Answer {
  const prefix = Writer.make().put(month).putByte(SLASH).text();
  const out = Writer.make().beginObject();
  for (const scan = state.scan(prefix); scan.next(); ) {
    out.name(scan.key.slice(PREFIX_BYTES)).raw(scan.value);
    if (isTooLarge(out)) return tooLarge();
  }
  return json(out.endObject());
}

/** {"2025-03":{"gpt-4":{...},...},...} */
function allMonths(): Answer {
  let open: Text | null = null; // the month whose object is not closed yet
  const out = Writer.make().beginObject();
  for (const scan = state.scan(Text.of("")); scan.next(); ) {
    const month = scan.key.slice(0, PREFIX_BYTES - 1);
    if (open == null || !month.equals(open)) {
      if (open != null) out.endObject();
      out.name(month).beginObject();
      open = month;
    }
    out.name(scan.key.slice(PREFIX_BYTES)).raw(scan.value);
    if (isTooLarge(out)) return tooLarge();
  }
  if (open != null) out.endObject();
  return json(out.endObject());
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
