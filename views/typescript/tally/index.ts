// Write Tallystick views in AssemblyScript. README.md beside the kit in the repository says how; in short: extend View, register an
// instance, and export the functions that the server calls.

export { Decimal } from "./decimal";
export { Event, Field, Kind } from "./event";
export { Answer, ANSWER_BYTES, csv, fail, Folded, json, plain, refuse, register, View } from "./guest";
export { tally_alloc, tally_event_room, tally_fields, tally_fold, tally_fold_batch, tally_query } from "./guest";
export { tally_guard } from "./guest"; // of a view with a guard, and of no other
export { Refusal, Verdict } from "./guard";
export { Json, Members } from "./json";
export { Query } from "./query";
export { shown, Text } from "./text";
export { Date, isMonth, monthOf, NO_TIME, parseTime } from "./time";
export { foreign, Totals } from "./totals";
export { noteUncounted, sumUncounted } from "./uncounted";
export { KEY_BYTES, Writer } from "./writer";

import * as state from "./state";
export { state };
