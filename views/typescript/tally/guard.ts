// What a guard decides: see View.guard.

import * as host from "./host";
import { Text } from "./text";
import { Writer } from "./writer";

/** Why an event is refused: the HTTP status that the client is answered with. */
export enum Refusal {
  /** Credit is used up, a payment would help. */
  PaymentRequired = 402,
  /** It is never admitted. */
  Forbidden = 403,
  /** It does not fit what the log holds. */
  Conflict = 409,
}

const ADMITTED = 0;
const FAILED = -1;
const TOO_MANY_REQUESTS = 429;
const MOST_SECONDS: i64 = 31622400; // 366 days

/** What a guard decides. An answer is a JSON object of at most 4 KiB for whoever sent the event. */
export class Verdict {
  private constructor(private status: i32, private answer: Writer | null, private seconds: i32 = 0) {}

  /** Has the event appended. */
  static admit(answer: Writer | null = null): Verdict {
    return new Verdict(ADMITTED, answer);
  }

  /** Refuses the event. */
  static refuse(why: Refusal, answer: Writer | null = null): Verdict {
    return new Verdict(why, answer);
  }

  /** Refuses the event for so many seconds, with the status 429: at least one, and at most 366 days. */
  static refuseFor(seconds: i64, answer: Writer | null = null): Verdict {
    return new Verdict(TOO_MANY_REQUESTS, answer, <i32>max(1, min(seconds, MOST_SECONDS)));
  }

  /** Halts the view, after fail: for what must never happen, whatever events hold. */
  static failed(): Verdict {
    return new Verdict(FAILED, null);
  }

  /** Tells the server, and returns what tally_guard does. */
  say(): i32 {
    const answer = this.answer;
    if (answer != null) {
      const json: Text = answer.text();
      host.answer(json.at, json.len);
    }
    if (this.seconds > 0) host.retryAfter(this.seconds);
    return this.status;
  }
}
