/* A view that does what its queries ask of the kit, one call at a time: views/typescript_test.go compares the answers with what Go's
 * standard library says.
 *
 * Fields    /do, /key, /value
 * State     what the events' set and remove left
 * Query     do=times&a=1.5&b=2, answered with one JSON value
 * Config    {"refuse":"why"} is refused */

import {
  Answer, csv, Date, Decimal, Event, fail, Folded, json, Json, Kind, monthOf, NO_TIME, parseTime, plain, Query, refuse, register,
  shown, state, Text, Totals, View, Writer,
} from "./tally";

export { tally_alloc, tally_event_room, tally_fields, tally_fold, tally_fold_batch, tally_query } from "./tally";

class Probe extends View {
  configure(config: Json): bool {
    const why = config.get("refuse");
    if (why == null) return true;
    const text = why.string();
    fail(text == null ? "refuse is not a string" : text.toString());
    return false;
  }

  fields(): string[] {
    return ["/do", "/key", "/value"];
  }

  fold(event: Event): Folded {
    const what = event.field(0).string();
    const label = event.field(1).label();
    if (what == null || label == null) return Folded.Ignored;
    const key = Writer.make().put(label).key();
    if (key == null) return Folded.Ignored;
    if (what.is("set")) state.set(key, new Json(event.data).get("value")!.source);
    else if (what.is("remove")) state.remove(key);
    else if (what.is("mix")) return mix(key);
    else if (what.is("fail")) return fail(`event ${event.sequence} asks for it`);
    else if (what.is("throw")) throw new Error("thrown");
    else return Folded.Ignored;
    return Folded.Applied;
  }

  query(query: Query): Answer {
    const empty = Text.of("");
    let what = empty;
    let a = empty;
    let b = empty;
    while (query.next()) {
      if (query.name.is("do")) what = query.value;
      else if (query.name.is("a")) a = query.value;
      else if (query.name.is("b")) b = query.value;
      else return refuse("unknown parameter " + shown(query.name));
    }
    if (what.is("csv")) return csv(Writer.make().put(a));
    if (what.is("plain")) return plain(Writer.make().put(a));
    const out = Writer.make(1);
    if (!decimals(what, a, b, out) && !texts(what, a, b, out) && !times(what, a, out)) return refuse("unknown question " + shown(what));
    return json(out);
  }
}

register(new Probe());

// The same totals in two places.
const totals = new Totals(["n"]);
const other = new Totals(["n"]);

/** Reads and writes a key in the way that the first letter says. */
function mix(name: Text): Folded {
  const key = name.slice(1);
  switch (name.byte(0)) {
    case 0x61: // a
      return count(totals, key, true);
    case 0x62: // b
      return count(other, key, true);
    case 0x63: // c
      return count(new Totals(["n"]), key, true);
    case 0x6e: // n
      return count(totals, key, false);
    case 0x67: { // g
      const value = state.get(key);
      state.set(Text.of("got"), value == null ? Text.of("null") : value);
      return Folded.Applied;
    }
    case 0x73: // s
      state.set(key, Text.of('{"n":70}'));
      return Folded.Applied;
    case 0x64: // d
      state.remove(key);
      return Folded.Applied;
    case 0x6c: { // l
      const seen = Writer.make().putByte(0x22);
      for (const scan = state.scan(Text.of("k")); scan.next(); ) seen.put(scan.key).putString(scan.value.len.toString());
      state.set(Text.of("seen"), seen.putByte(0x22).text());
      return Folded.Applied;
    }
    case 0x6d: // m
      for (let c: u8 = 0x61; c <= 0x7a; c++) {
        if (count(totals, Writer.make().putByte(c).text(), true) != Folded.Applied) return Folded.Failed;
      }
      return Folded.Applied;
    default:
      return Folded.Ignored;
  }
}

function count(sums: Totals, key: Text, stores: bool): Folded {
  if (!sums.load(key) || !sums.add(0, Decimal.from(1))) return Folded.Failed;
  if (stores) sums.store();
  return Folded.Applied;
}

/** What is to be answered with a number, as a string; null if there is none. */
function answer(out: Writer, number: Decimal | null): bool {
  if (number == null) out.null();
  else out.string(Text.of(number.toString()));
  return true;
}

function decimals(what: Text, textA: Text, textB: Text, out: Writer): bool {
  const a = Decimal.parse(textA);
  const b = Decimal.parse(textB);
  if (what.is("parse")) return answer(out, a);
  if (a == null || b == null) return false;
  if (what.is("negated")) return answer(out, a.negated());
  if (what.is("times")) return answer(out, a.times(b));
  if (what.is("add")) return answer(out, a.add(b) ? a : null);
  if (what.is("copy")) {
    const sum = a.copy();
    return sum.add(a) && answer(out, sum);
  }
  if (what.is("square")) {
    // A product may be too large to be a factor again.
    const product = a.times(a);
    return answer(out, product == null ? null : product.times(b));
  }
  if (!what.is("compare")) return false;
  out.beginArray().integer(a.compare(b)).boolean(a.isZero()).boolean(a.isNegative()).endArray();
  return true;
}

function texts(what: Text, a: Text, b: Text, out: Writer): bool {
  const value = new Json(a);
  if (what.is("string")) {
    const text = value.string();
    if (text == null) out.null();
    else out.string(text);
  } else if (what.is("kind")) {
    out.integer(value.kind());
  } else if (what.is("get")) {
    const found = value.get(b.toString());
    if (found == null) out.null();
    else out.raw(found.source);
  } else if (what.is("members")) {
    out.beginArray();
    for (const members = value.members(); members.next(); ) {
      out.beginObject().name(Text.of("name")).string(members.name).name(Text.of("value")).raw(members.value.source).endObject();
    }
    out.endArray();
  } else if (what.is("state")) {
    out.beginObject();
    for (const scan = state.scan(a, b); scan.next(); ) out.name(scan.key).raw(scan.value);
    out.endObject();
  } else if (what.is("shown")) {
    out.string(Text.of(shown(a)));
  } else if (what.is("order")) {
    const order = a.compare(b);
    out.integer(order < 0 ? -1 : i64(order > 0));
  } else if (what.is("strings")) {
    out.string(Text.of(a.toString()));
  } else {
    return false;
  }
  return true;
}

function times(what: Text, a: Text, out: Writer): bool {
  if (what.is("time")) {
    const time = parseTime(a);
    if (time == NO_TIME) out.null();
    else out.integer(time);
    return true;
  }
  const time = I64.parseInt(a.toString());
  if (what.is("month")) {
    const month = monthOf(time);
    if (month == null) out.null();
    else out.string(month);
  } else if (what.is("date")) {
    const date = Date.of(time);
    out.beginArray().integer(date.year).integer(date.month).integer(date.day).integer(date.days()).boolean(date.exists()).endArray();
  } else {
    return false;
  }
  return true;
}
