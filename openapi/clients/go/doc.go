// Package tally is the Go client of Tallystick, a usage-metering engine: an append-only log of events for whatever is billed, and views
// that count them.
//
// A [Client] has one method for each operation of the HTTP API, named as the operation's id: append-event is [Client.AppendEvent]. Path
// parameters come first, then the body, then the options, which may be nil. Over the operations there are iterators ([Client.Events],
// [Client.Logs], [Client.Keys] …), streams that come back after a lost connection ([Client.Tail], [Client.Watch]), and a
// [Batcher].
//
// # Nothing counts twice
//
// An event is encoded once, and every try sends the same bytes. An event with an id, and its source, is known by them for ever. For
// others the client makes an idempotency key, unless it is given one; so appends are retried safely, and are by default.
//
// # Retries
//
// The client tries again where the connection failed, and where the server's answer has a Retry-After header: never before that, with a
// random delay on top that grows up to 10 s, until [Options.Deadline]. It does so only for calls that are safe to repeat: reads, appends,
// deliveries to sources, ensured logs, modules, deployments, and puts and deletes of sources. A call that is not, such as
// [Client.CreateKey], is sent again only where the server says that it did nothing.
//
// # Numbers
//
// Events are kept byte for byte, and read back so: [Event.Data] is their text, [Event.Decode] keeps numbers that a float64 cannot hold.
//
// # Errors
//
// What fails on the way, or is refused, is an [*Error], with a code for programs and a detail for people. Statuses, codes and actions are
// plain strings: a later server may send others.
package tally
