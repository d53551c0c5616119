package io.github.tallystick.client;

import io.github.tallystick.client.model.CreateKey;
import io.github.tallystick.client.model.CreateLog;
import io.github.tallystick.client.model.CreateTenant;
import io.github.tallystick.client.model.CreateToken;
import io.github.tallystick.client.model.CreateWebhook;
import io.github.tallystick.client.model.DeployModule;
import io.github.tallystick.client.model.EnsureLog;
import io.github.tallystick.client.model.PreviewView;
import io.github.tallystick.client.model.ReplaySource;
import io.github.tallystick.client.model.ResumeView;
import io.github.tallystick.client.model.RollbackView;
import io.github.tallystick.client.model.RotateKey;
import io.github.tallystick.client.model.TestAlert;
import io.github.tallystick.client.model.UpdateTenant;
import io.github.tallystick.client.model.UpdateWebhook;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which method of the SDK a call of a case is. */
final class ConformanceCalls {
  private final Tally tally;
  private final Map<String, Object> args;

  ConformanceCalls(Tally tally, Map<String, Object> args) {
    this.tally = tally;
    this.args = new LinkedHashMap<>(args);
  }

  private String text(String name) {
    return String.valueOf(args.remove(name));
  }

  private <T> T body(Class<T> type) {
    Object body = args.remove("body");
    return Json.of(body == null ? Map.of() : body).as(type);
  }

  private Object any() {
    return args.remove("body");
  }

  private long number(String name, long otherwise) {
    Object value = args.remove(name);
    return value == null ? otherwise : new BigDecimal(value.toString()).longValueExact();
  }

  @SuppressWarnings("unchecked")
  private Map<String, String> question() {
    Map<String, String> question = new LinkedHashMap<>();
    if (args.remove("question") instanceof Map<?, ?> given) {
      ((Map<String, Object>) given).forEach((name, value) -> question.put(name, String.valueOf(value)));
    }
    return question;
  }

  /** What is left of the arguments, as options by name. */
  private <T extends Options<T>> T options(T options) {
    Map<String, String> headers =
        Map.of("idempotency_key", "Idempotency-Key", "expected_sequence", "Expected-Sequence", "actor", "Tally-Actor", "tenant",
            "Tally-Tenant", "content_type", "Content-Type", "last_event_id", "Last-Event-ID");
    args.forEach(
        (name, value) -> {
          if (headers.containsKey(name)) {
            options.header(headers.get(name), value);
          } else {
            options.query(name, value);
          }
        });
    return options;
  }

  private AppendOptions append() {
    return options(new AppendOptions());
  }

  private ListOptions list() {
    return options(new ListOptions());
  }

  private CallOptions call() {
    return options(new CallOptions());
  }

  /** Performs a call; the answer is something that Jackson writes as the document says, null where there is none. */
  Object perform(String call) {
    return switch (call) {
      case "append-event" -> {
        String log = text("log");
        Object event = args.remove("event");
        yield args.isEmpty() ? tally.appendEvent(log, event) : tally.appendEvent(log, event, append());
      }
      case "append-events" -> {
        String log = text("log");
        Object events = args.remove("events");
        yield events instanceof Json lines
            ? tally.appendEvents(log, lines.bytes(), append())
            : tally.appendEvents(log, (List<?>) events, append());
      }
      case "list-events" -> tally.listEvents(text("log"), options(new EventOptions()));
      case "get-event" -> tally.getEvent(text("log"), number("sequence", 0));
      case "explain-event" -> tally.explainEvent(text("log"), number("sequence", 0), (String) args.remove("view"));
      case "create-log" -> tally.createLog(body(CreateLog.class));
      case "ensure-log" -> tally.ensureLog(text("log"), body(EnsureLog.class).getLabels());
      case "get-log" -> tally.getLog(text("log"));
      case "list-logs" -> tally.listLogs(list());
      case "verify-log" -> tally.verifyLog(text("log"), call());
      case "get-checkpoint" -> tally.getCheckpoint(text("log"));
      case "get-checkpoint-key" -> tally.getCheckpointKey();
      case "get-caller" -> tally.getCaller(call());
      case "get-activity" -> tally.getActivity(call());
      case "health" -> tally.health();
      case "ready" -> tally.ready();
      case "tail-events", "tail" -> tail(call.equals("tail"));
      case "watch-view", "watch" -> watch(call.equals("watch"));
      case "batcher" -> batcher();
      case "events", "logs", "keys", "modules", "tenants", "sources", "audit-log", "view-states", "view-versions", "source-versions",
          "webhooks", "deliveries", "alerts", "crossings" -> pages(call);
      default -> performOnViews(call);
    };
  }

  private Object performOnViews(String call) {
    return switch (call) {
      case "query-view" -> answer(tally.queryView(text("log"), text("view"), question()));
      case "deploy-view" -> {
        String log = text("log");
        String view = text("view");
        yield tally.deployView(log, view, body(DeployModule.class), call());
      }
      case "get-view" -> tally.getView(text("log"), text("view"));
      case "list-views" -> tally.listViews(text("log"));
      case "list-view-states" -> tally.listViewStates(list());
      case "list-view-versions" -> tally.listViewVersions(text("log"), text("view"), list());
      case "resume-view" -> tally.resumeView(text("log"), text("view"), body(ResumeView.class), call());
      case "rollback-view" -> tally.rollbackView(text("log"), text("view"), body(RollbackView.class), call());
      case "retire-view" -> nothing(() -> tally.retireView(text("log"), text("view"), call()));
      case "audit-view" -> tally.auditView(text("log"), text("view"), call());
      case "preview-view" -> tally.previewView(text("log"), text("view"), body(PreviewView.class));
      case "deploy-view-pattern" -> tally.deployViewPattern(text("view"), body(DeployModule.class), call());
      case "get-view-pattern" -> tally.getViewPattern(text("view"));
      case "list-view-patterns" -> tally.listViewPatterns();
      case "retire-view-pattern" -> tally.retireViewPattern(text("view"), call());
      case "list-ready-views" -> tally.listReadyViews();
      case "put-module" -> tally.putModule(text("sha256"), (byte[]) args.remove("body"));
      case "list-modules" -> tally.listModules(list());
      case "get-module" -> tally.getModule(text("sha256"));
      default -> performOnOthers(call);
    };
  }

  private Object performOnOthers(String call) {
    return switch (call) {
      case "put-source" -> tally.putSource(text("source"), any(), call());
      case "get-source" -> tally.getSource(text("source"), call());
      case "delete-source" -> nothing(() -> tally.deleteSource(text("source"), call()));
      case "list-sources" -> tally.listSources(list());
      case "list-source-versions" -> tally.listSourceVersions(text("source"), list());
      case "list-ready-sources" -> tally.listReadySources();
      case "test-source" -> tally.testSource(text("source"), any(), call());
      case "replay-source" -> tally.replaySource(text("source"), body(ReplaySource.class));
      case "send-events" -> tally.sendEvents(text("source"), any(), call());
      case "send-openmeter-events" -> nothing(() -> tally.sendOpenmeterEvents(text("source"), any(), call()));
      case "send-otlp-logs" -> tally.sendOtlpLogs(text("source"), any(), call());
      case "send-otlp-traces" -> tally.sendOtlpTraces(text("source"), any(), call());
      case "create-key" -> tally.createKey(body(CreateKey.class), call());
      case "get-key" -> tally.getKey(text("key"));
      case "list-keys" -> tally.listKeys(list());
      case "revoke-key" -> tally.revokeKey(text("key"), call());
      case "rotate-key" -> tally.rotateKey(text("key"), body(RotateKey.class), call());
      case "create-token" -> tally.createToken(body(CreateToken.class), call());
      case "create-tenant" -> tally.createTenant(body(CreateTenant.class), call());
      case "get-tenant" -> tally.getTenant(text("tenant"));
      case "update-tenant" -> tally.updateTenant(text("tenant"), body(UpdateTenant.class), call());
      case "list-tenants" -> tally.listTenants(list());
      case "list-audit-log" -> tally.listAuditLog(list());
      default -> performOnNotices(call);
    };
  }

  private Object performOnNotices(String call) {
    return switch (call) {
      case "put-alert" -> tally.putAlert(text("alert"), any(), call());
      case "get-alert" -> tally.getAlert(text("alert"), list());
      case "list-alerts" -> tally.listAlerts(list());
      case "delete-alert" -> nothing(() -> tally.deleteAlert(text("alert"), call()));
      case "list-crossings" -> tally.listCrossings(text("alert"), list());
      case "test-alert" -> tally.testAlert(text("alert"), body(TestAlert.class).getLog());
      case "create-webhook" -> tally.createWebhook(body(CreateWebhook.class), call());
      case "list-webhooks" -> tally.listWebhooks(list());
      case "get-webhook" -> tally.getWebhook(text("webhook"));
      case "update-webhook" -> tally.updateWebhook(text("webhook"), body(UpdateWebhook.class), call());
      case "delete-webhook" -> nothing(() -> tally.deleteWebhook(text("webhook"), call()));
      case "test-webhook" -> tally.testWebhook(text("webhook"), call());
      case "rotate-webhook-secret" -> tally.rotateWebhookSecret(text("webhook"), call());
      case "list-deliveries" -> tally.listDeliveries(text("webhook"), list());
      case "get-delivery" -> tally.getDelivery(text("webhook"), text("delivery"));
      case "replay-delivery" -> tally.replayDelivery(text("webhook"), text("delivery"), call());
      case "replay-dead-deliveries" -> tally.replayDeadDeliveries(text("webhook"), call());
      default -> throw new AssertionError("this runner does not know the call " + call);
    };
  }

  private static Object nothing(Runnable call) {
    call.run();
    return null;
  }

  /** A view's answer as JSON: text that is none, such as CSV, as a string. */
  private static Object answer(Answer answer) {
    return answer.contentType().equals("application/json") ? answer.json() : answer.text();
  }

  private List<?> pages(String call) {
    long take = number("take", Long.MAX_VALUE);
    Pages<?> all =
        switch (call) {
          case "events" -> tally.events(text("log"), options(new EventOptions()));
          case "logs" -> tally.logs(list());
          case "keys" -> tally.keys(list());
          case "modules" -> tally.modules(list());
          case "tenants" -> tally.tenants(list());
          case "sources" -> tally.sources(list());
          case "audit-log" -> tally.auditLog(list());
          case "alerts" -> tally.alerts(list());
          case "crossings" -> tally.crossings(text("alert"), list());
          case "webhooks" -> tally.webhooks(list());
          case "deliveries" -> tally.deliveries(text("webhook"), list());
          case "view-states" -> tally.viewStates(list());
          case "view-versions" -> tally.viewVersions(text("log"), text("view"), list());
          default -> tally.sourceVersions(text("source"), list());
        };
    return all.stream().limit(take).toList();
  }

  private List<?> tail(boolean resuming) {
    long take = number("take", 1);
    String log = text("log");
    TailOptions options = options(new TailOptions());
    try (Live<?> live = resuming ? tally.tail(log, options) : tally.tailEvents(log, options)) {
      return take(live, take);
    }
  }

  private List<?> watch(boolean resuming) {
    long take = number("take", 1);
    String log = text("log");
    String view = text("view");
    try (Live<WatchedAnswer> live = resuming ? tally.watch(log, view, question()) : tally.watchView(log, view, question())) {
      List<Object> answers = new ArrayList<>();
      for (Iterator<WatchedAnswer> i = live.iterator(); answers.size() < take; ) {
        WatchedAnswer watched = i.next();
        if (watched.problem() == null) {
          answers.add(Map.of("answer", watched.answer().json(), "sequence", watched.sequence().orElse(0)));
        }
      }
      return answers;
    }
  }

  private static <T> List<T> take(Live<T> live, long count) {
    List<T> taken = new ArrayList<>();
    for (Iterator<T> i = live.iterator(); taken.size() < count; ) {
      taken.add(i.next());
    }
    return taken;
  }

  private Object batcher() {
    List<Object> failures = new ArrayList<>();
    BatcherOptions options = new BatcherOptions();
    if (args.get("options") instanceof Map<?, ?> given) {
      given.forEach((name, value) -> set(options, String.valueOf(name), new BigDecimal(value.toString())));
    }
    options.onFailure(
        (log, events, error) -> {
          synchronized (failures) {
            failures.add(Map.of("log", log, "events", events, "error", ConformanceTest.error(error)));
          }
        });
    try (Batcher batcher = tally.batcher(options)) {
      for (Object item : (List<?>) args.get("add")) {
        Map<?, ?> one = (Map<?, ?>) item;
        batcher.add(String.valueOf(one.get("log")), one.get("event"));
      }
      if (args.get("flush") != null && args.get("flush").toString().equals("true")) {
        batcher.flush();
      }
      batcher.close(Duration.ofSeconds(60));
    }
    return Map.of("failures", failures, "unsent", 0);
  }

  private static void set(BatcherOptions options, String name, BigDecimal value) {
    switch (name) {
      case "max_events" -> options.maxEvents(value.intValueExact());
      case "max_bytes" -> options.maxBytes(value.intValueExact());
      case "max_buffer" -> options.maxBuffer(value.longValueExact());
      case "linger" -> options.linger(Duration.ofNanos(value.movePointRight(9).longValue()));
      default -> throw new AssertionError("this runner does not know the option " + name);
    }
  }
}
