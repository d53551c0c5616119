package io.github.tallystick.client;

import io.github.tallystick.client.model.Appended;
import io.github.tallystick.client.model.AppendedBatch;
import io.github.tallystick.client.model.CreateLog;
import io.github.tallystick.client.model.CreatedLog;
import io.github.tallystick.client.model.EnsureLog;
import io.github.tallystick.client.model.Event;
import io.github.tallystick.client.model.EventExplanation;
import io.github.tallystick.client.model.EventPage;
import io.github.tallystick.client.model.Log;
import io.github.tallystick.client.model.LogPage;
import io.github.tallystick.client.model.LogVerification;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

/** The operations on logs and events. */
abstract class LogCalls {
  final Transport transport;

  LogCalls(Transport transport) {
    this.transport = transport;
  }

  /**
   * Appends an event. It is durable and counted when this returns. It is encoded once, so that all tries send the same bytes, under the
   * same key: it counts once, however often the connection is lost.
   *
   * @param log the log's name or id
   * @param event a map, a record or another object for Jackson; or exact JSON as {@code String}, {@code byte[]} or {@link Json}
   * @return its sequence; {@code duplicate} where the log had it before this call
   * @throws TallyException if the server refuses it, or does not answer in time: then it is not known whether the event is stored, and the
   *     same call with an {@code id} in the event or an {@link AppendOptions#idempotencyKey} of yours resolves that
   */
  public Appended appendEvent(String log, Object event) {
    return appendEvent(log, event, null);
  }

  /**
   * Appends an event, see {@link #appendEvent(String, Object)}.
   *
   * @param log the log's name or id
   * @param event the event
   * @param options options; may be null
   * @return its sequence
   */
  public Appended appendEvent(String log, Object event, AppendOptions options) {
    Call call = append(log, "append", options).body("application/json", Events.encode(event).shared());
    Reply reply = transport.send(call);
    Appended appended = reply.as(Appended.class);
    return isOwnRetry(reply, options) && appended.isDuplicate() ? appended.duplicate(null) : appended;
  }

  /**
   * Appends events in order, all or none, at most 10,000 and 10 MiB. See {@link Tally#batcher()} for more than that.
   *
   * @param log the log's name or id
   * @param events the events, each as in {@link #appendEvent(String, Object)}
   * @return their sequences, and which the log had before this call
   * @throws TallyException if the server refuses one: {@link TallyException#getLine} says which, and nothing is stored
   */
  public AppendedBatch appendEvents(String log, Iterable<?> events) {
    return appendEvents(log, events, null);
  }

  /**
   * Appends events in order, see {@link #appendEvents(String, Iterable)}.
   *
   * @param log the log's name or id
   * @param events the events
   * @param options options; may be null
   * @return their sequences
   */
  public AppendedBatch appendEvents(String log, Iterable<?> events, AppendOptions options) {
    List<Json> encoded = new ArrayList<>();
    events.forEach(event -> encoded.add(Events.encode(event)));
    Events.Batch batch = Events.batch(encoded);
    return appendEvents(append(log, "append_batch", options).body(batch.contentType(), batch.body()), options, null);
  }

  /**
   * Appends events that are encoded already, all or none.
   *
   * @param log the log's name or id
   * @param lines a JSON object a line (NDJSON), or a JSON array of objects; sent as it is
   * @param options options; may be null
   * @return their sequences
   */
  public AppendedBatch appendEvents(String log, byte[] lines, AppendOptions options) {
    return appendEvents(append(log, "append_batch", options).body("application/x-ndjson", lines.clone()), options, null);
  }

  AppendedBatch appendEvents(Call call, AppendOptions options, Deadline deadline) {
    Reply reply = deadline == null ? transport.send(call) : transport.send(call, deadline);
    AppendedBatch appended = reply.as(AppendedBatch.class);
    if (isOwnRetry(reply, options) && appended.getAppended() == 0 && appended.getDuplicates() != null) {
      appended.appended((long) appended.getDuplicates().size()).duplicates(List.of()); // a try before this one stored all of them
    }
    return appended;
  }

  /** An append with a key. */
  static Call append(String log, String path, AppendOptions options) {
    Call call = Call.repeatable("POST", "logs", log, path).with(options);
    return hasKey(options) ? call : call.header("Idempotency-Key", UUID.randomUUID().toString());
  }

  private static boolean hasKey(AppendOptions options) {
    return options != null && options.hasOwnKey();
  }

  /** Whether what the answer calls a duplicate is that of an earlier try of the same call. */
  private static boolean isOwnRetry(Reply reply, AppendOptions options) {
    return reply.tries() > 1 && !hasKey(options);
  }

  /**
   * Reads a page of events. See {@link #events} for all of them.
   *
   * @param log the log's name or id
   * @param options filters, the page's size and cursor; may be null
   * @return the page; one with a cursor is not the last, even when it is empty
   */
  public EventPage listEvents(String log, EventOptions options) {
    Call call = Call.get("logs", log, "events").with(options).header("Accept", "application/json");
    EventPage page = transport.send(call, EventPage.class);
    new Pages.Page<>(page.getEvents(), page.getNextCursor()).items().forEach(Events::exact);
    return page;
  }

  /**
   * All events of a log, over all pages, in the order of their sequences.
   *
   * @param log the log's name or id
   * @return the events
   */
  public Pages<Event> events(String log) {
    return events(log, new EventOptions());
  }

  /**
   * The events of a log that options select, over all pages, in the order of their sequences.
   *
   * @param log the log's name or id
   * @param options filters, and the size of pages, 1,000 when absent
   * @return the events
   */
  public Pages<Event> events(String log, EventOptions options) {
    EventOptions given = new EventOptions().limit(1000).from(options);
    return new Pages<>(
        cursor -> {
          EventOptions asked = new EventOptions().from(given);
          EventPage page = listEvents(log, cursor == null ? asked : asked.cursor(cursor));
          return new Pages.Page<>(page.getEvents(), page.getNextCursor());
        });
  }

  /**
   * Reads an event.
   *
   * @param log the log's name or id
   * @param sequence the event's sequence, from 1
   * @return the event
   */
  public Event getEvent(String log, long sequence) {
    return Events.exact(transport.send(Call.get("logs", log, "events", Long.toString(sequence)), Event.class));
  }

  /**
   * Tells how an event was counted by the views of its log, and what it changed. The log is folded again up to the event: on a long one
   * that takes up to a minute or so, whatever the client's timeout and deadline.
   *
   * @param log the log's name or id
   * @param sequence the event's sequence, from 1
   * @param view the name of the one view that explains it; null for all
   * @return one explanation for each version of the views that is not retired
   */
  public EventExplanation explainEvent(String log, long sequence, String view) {
    Call call = Call.get("logs", log, "events", Long.toString(sequence), "explanation").query("view", view);
    return transport.send(call.slow(), EventExplanation.class);
  }

  /**
   * Creates a log. Not repeated when the answer is lost: see {@link #ensureLog(String)}.
   *
   * @param log its name, and labels of yours
   * @return its id
   * @throws TallyException {@code name_taken} if there is one of that name
   */
  public CreatedLog createLog(CreateLog log) {
    return transport.send(Call.once("POST", "logs").json(log), CreatedLog.class);
  }

  /**
   * Makes sure that there is a log of this name.
   *
   * @param log its name
   * @return the log, new or not
   */
  public Log ensureLog(String log) {
    return ensureLog(log, null);
  }

  /**
   * Makes sure that there is a log of this name with these labels.
   *
   * @param log its name
   * @param labels its labels; null: whatever labels it has
   * @return the log, new or not
   * @throws TallyException {@code name_taken} if there is one with other labels
   */
  public Log ensureLog(String log, Map<String, String> labels) {
    return transport.send(Call.repeatable("PUT", "logs", log).json(new EnsureLog().labels(labels)), Log.class);
  }

  /**
   * Describes a log and its head.
   *
   * @param log the log's name or id
   * @return the log
   */
  public Log getLog(String log) {
    return transport.send(Call.get("logs", log), Log.class);
  }

  /**
   * Reads a page of the list of logs, by name. See {@link #logs} for all of them.
   *
   * @param options the beginning of the names, the page's size and cursor, and {@code query("search", …)}, {@code query("label", …)} or
   *     {@code query("sort", "activity")}; may be null
   * @return the page
   */
  public LogPage listLogs(ListOptions options) {
    return transport.send(Call.get("logs").with(options), LogPage.class);
  }

  /**
   * All logs, by name unless the options say otherwise, over all pages.
   *
   * @param options those of {@link #listLogs}, but the cursor; may be null
   * @return the logs
   */
  public Pages<Log> logs(ListOptions options) {
    return pages(
        options,
        o -> {
          LogPage page = listLogs(o);
          return new Pages.Page<>(page.getLogs(), page.getNextCursor());
        });
  }

  /** The pages of a list. */
  static <T> Pages<T> pages(ListOptions options, Function<ListOptions, Pages.Page<T>> read) {
    ListOptions given = options == null ? new ListOptions() : new ListOptions().from(options);
    return new Pages<>(
        cursor -> {
          ListOptions asked = new ListOptions().from(given);
          return read.apply(cursor == null ? asked : asked.cursor(cursor));
        });
  }

  /**
   * Reads a log again and checks its chain and its views. Takes as long as reading the log does, during which nothing may come, whatever
   * the client's timeout and deadline.
   *
   * @param log the log's name or id
   * @param options {@code query("views", …)}, {@code query("sequence", …)} and {@code query("hash", …)}; may be null
   * @return what was found
   */
  public LogVerification verifyLog(String log, CallOptions options) {
    return transport.send(Call.get("logs", log, "verify").slow().with(options), LogVerification.class);
  }

  /**
   * The log's head, signed.
   *
   * @param log the log's name or id
   * @return a signed note
   */
  public String getCheckpoint(String log) {
    return text(Call.get("logs", log, "checkpoint"));
  }

  /**
   * The public key that checkpoints are verified with.
   *
   * @return a line
   */
  public String getCheckpointKey() {
    return text(Call.get("checkpoint-key"));
  }

  private String text(Call call) {
    return new String(transport.send(call).body(), StandardCharsets.UTF_8);
  }
}
