package io.github.tallystick.client;

import io.github.tallystick.client.model.DeployModule;
import io.github.tallystick.client.model.ModulePage;
import io.github.tallystick.client.model.PreviewView;
import io.github.tallystick.client.model.ReadyViewList;
import io.github.tallystick.client.model.ResumeView;
import io.github.tallystick.client.model.RollbackView;
import io.github.tallystick.client.model.StoredModule;
import io.github.tallystick.client.model.View;
import io.github.tallystick.client.model.ViewAudit;
import io.github.tallystick.client.model.ViewHistory;
import io.github.tallystick.client.model.ViewList;
import io.github.tallystick.client.model.ViewPattern;
import io.github.tallystick.client.model.ViewPatternList;
import io.github.tallystick.client.model.ViewPreview;
import io.github.tallystick.client.model.ViewState;
import io.github.tallystick.client.model.ViewStatePage;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/** The operations on views, patterns and modules. */
abstract class ViewCalls extends LogCalls {
  ViewCalls(Transport transport) {
    super(transport);
  }

  /**
   * Asks a view.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @return its answer
   */
  public Answer queryView(String log, String view) {
    return queryView(log, view, Map.of());
  }

  /**
   * Asks a view.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param question the question, as the view takes it, such as {@code month} and {@code 2025-03}
   * @return its answer
   * @throws TallyException {@code query_refused} where the view says no. While the view is being built for the first time this waits for
   *     it, up to the deadline, and then fails with {@code view_building}
   */
  public Answer queryView(String log, String view, Map<String, String> question) {
    Reply reply = transport.send(Call.get("logs", log, "views", view, "query").query(question));
    String type = reply.header("Content-Type").replaceFirst("\\s*;.*", "");
    return new Answer(type, reply.body(), reply.sequence());
  }

  /**
   * Deploys a view on a log, or a new version of it.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param deployment what it counts, and how
   * @return the version that was made; or that there was, where it is the same
   */
  public View deployView(String log, String view, DeployModule deployment) {
    return deployView(log, view, deployment, null);
  }

  /**
   * Deploys a view on a log, or a new version of it.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param deployment what it counts, and how
   * @param options who asks; may be null
   * @return the version that was made; or that there was, where it is the same
   */
  public View deployView(String log, String view, DeployModule deployment, CallOptions options) {
    return transport.send(Call.repeatable("POST", "logs", log, "views", view).with(options).json(deployment), View.class);
  }

  /**
   * Describes a view: the version that answers queries.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @return the version, with the one that is built in its place
   */
  public View getView(String log, String view) {
    return transport.send(Call.get("logs", log, "views", view), View.class);
  }

  /**
   * Lists the views of a log.
   *
   * @param log the log's name or id
   * @return the views
   */
  public ViewList listViews(String log) {
    return transport.send(Call.get("logs", log, "views"), ViewList.class);
  }

  /**
   * Reads a page of the versions of views of all logs, by log, view and version. Those that are halted or building are found at once,
   * however many logs there are. See {@link #viewStates} for all of them.
   *
   * @param options {@code query("status", "halted,building")}, {@code query("view", …)}, the page's size and cursor; may be null, which
   *     stands for all that are not retired
   * @return the page
   */
  public ViewStatePage listViewStates(ListOptions options) {
    return transport.send(Call.get("view-states").with(options), ViewStatePage.class);
  }

  /**
   * The versions of views of all logs, by log, view and version, over all pages.
   *
   * @param options those of {@link #listViewStates}, but the cursor; may be null
   * @return the versions
   */
  public Pages<ViewState> viewStates(ListOptions options) {
    return pages(
        options,
        o -> {
          ViewStatePage page = listViewStates(o);
          return new Pages.Page<>(page.getViews(), page.getNextCursor());
        });
  }

  /**
   * Reads a page of a view's versions, newest first, and what was done to it. See {@link #viewVersions} for all of them.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param options the page's size and cursor; may be null
   * @return the page
   */
  public ViewHistory listViewVersions(String log, String view, ListOptions options) {
    return transport.send(Call.get("logs", log, "views", view, "versions").with(options), ViewHistory.class);
  }

  /**
   * All versions of a view, newest first, over all pages.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param options the size of pages; may be null
   * @return the versions
   */
  public Pages<View> viewVersions(String log, String view, ListOptions options) {
    return pages(
        options,
        o -> {
          ViewHistory page = listViewVersions(log, view, o);
          return new Pages.Page<>(page.getVersions(), page.getNextCursor());
        });
  }

  /**
   * Takes a halted version on. Not repeated when the answer is lost.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param resumption whether to leave out the event that it halted at, and why
   * @param options who asks; may be null
   * @return the version
   */
  public View resumeView(String log, String view, ResumeView resumption, CallOptions options) {
    return transport.send(Call.once("POST", "logs", log, "views", view, "resume").with(options).json(resumption), View.class);
  }

  /**
   * Makes an earlier version live again. Not repeated when the answer is lost.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param rollback which version
   * @param options who asks; may be null
   * @return the version
   */
  public View rollbackView(String log, String view, RollbackView rollback, CallOptions options) {
    return transport.send(Call.once("POST", "logs", log, "views", view, "rollback").with(options).json(rollback), View.class);
  }

  /**
   * Retires a view. Not repeated when the answer is lost.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param options who asks; may be null
   */
  public void retireView(String log, String view, CallOptions options) {
    transport.send(Call.once("DELETE", "logs", log, "views", view).with(options));
  }

  /**
   * Folds a log's events again and compares with what is stored. Takes as long as that does, whatever the client's timeout and deadline.
   * Not repeated when the answer is lost.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param options which version; may be null
   * @return what was compared, and the first difference
   */
  public ViewAudit auditView(String log, String view, CallOptions options) {
    return transport.send(Call.once("POST", "logs", log, "views", view, "audit").slow().with(options), ViewAudit.class);
  }

  /**
   * Tries a view on a log's last events, as {@link #deployView(String, String, DeployModule)} would deploy it, and asks it a question.
   * Stores nothing; what a deploy would refuse is refused. Takes up to a minute or so, whatever the client's timeout and deadline.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param preview what it counts, on how many events, and what it is asked
   * @return what it makes of them
   */
  public ViewPreview previewView(String log, String view, PreviewView preview) {
    return transport.send(Call.repeatable("POST", "logs", log, "views", view, "preview").slow().json(preview), ViewPreview.class);
  }

  /**
   * Deploys a view on all logs whose name matches a pattern, now and later.
   *
   * @param view the view's name
   * @param deployment what it counts, and how
   * @param options who asks, and {@link CallOptions#logs}: the pattern, or that which the view has already
   * @return the view
   */
  public ViewPattern deployViewPattern(String view, DeployModule deployment, CallOptions options) {
    return transport.send(Call.repeatable("POST", "views", view).with(options).json(deployment), ViewPattern.class);
  }

  /**
   * Describes a view that is deployed on a pattern, and how its logs stand.
   *
   * @param view the view's name
   * @return the view
   */
  public ViewPattern getViewPattern(String view) {
    return transport.send(Call.get("views", view), ViewPattern.class);
  }

  /**
   * Lists the views that are deployed on patterns.
   *
   * @return the views
   */
  public ViewPatternList listViewPatterns() {
    return transport.send(Call.get("views"), ViewPatternList.class);
  }

  /**
   * Retires a view on the logs that have it from its pattern. Not repeated when the answer is lost.
   *
   * @param view the view's name
   * @param options who asks, and {@link CallOptions#keep()}; may be null
   * @return the view
   */
  public ViewPattern retireViewPattern(String view, CallOptions options) {
    return transport.send(Call.once("DELETE", "views", view).with(options), ViewPattern.class);
  }

  /**
   * Lists the views that are built into the server, by whose names one deploys: their versions, and a JSON schema of their configuration.
   *
   * @return the views
   */
  public ReadyViewList listReadyViews() {
    return transport.send(Call.get("ready-views"), ReadyViewList.class);
  }

  /**
   * Uploads a module, so that {@link DeployModule#module} can name it.
   *
   * @param sha256 the module's SHA-256, in hexadecimal
   * @param module the {@code .wasm} file, at most 4 MiB
   * @return what the server has
   */
  public StoredModule putModule(String sha256, byte[] module) {
    return transport.send(Call.repeatable("PUT", "modules", sha256).body("application/wasm", module), StoredModule.class);
  }

  /**
   * Describes a module that was uploaded.
   *
   * @param sha256 the module's SHA-256, in hexadecimal
   * @return the module
   * @throws TallyException {@code module_not_found} where there is none
   */
  public StoredModule getModule(String sha256) {
    return transport.send(Call.get("modules", sha256), StoredModule.class);
  }

  /**
   * Reads a page of the list of modules, by SHA-256. See {@link #modules} for all of them.
   *
   * @param options the page's size and cursor; may be null
   * @return the page
   */
  public ModulePage listModules(ListOptions options) {
    return transport.send(Call.get("modules").with(options), ModulePage.class);
  }

  /**
   * All modules that the tenant uploaded or deployed, over all pages.
   *
   * @param options the size of pages; may be null
   * @return the modules
   */
  public Pages<StoredModule> modules(ListOptions options) {
    return pages(
        options,
        o -> {
          ModulePage page = listModules(o);
          return new Pages.Page<>(page.getModules(), page.getNextCursor());
        });
  }

  /**
   * Uploads a module where the server does not have it yet.
   *
   * @param module the {@code .wasm} file, at most 4 MiB
   * @return its SHA-256, for {@link DeployModule#module}
   */
  public String uploadModule(byte[] module) {
    String sha256;
    try {
      sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(module));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // each Java has it
    }
    try {
      getModule(sha256);
    } catch (TallyException e) {
      if (!e.getCode().equals("module_not_found")) {
        throw e;
      }
      putModule(sha256, module);
    }
    return sha256;
  }

  /**
   * Deploys a view of your own on a log: uploads its module where the server does not have it yet, and deploys it.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param module the {@code .wasm} file, at most 4 MiB
   * @param deployment its configuration, its gas, and what becomes of appends while it is halted
   * @return the view, which may still be building
   */
  public View deployModule(String log, String view, byte[] module, DeployModule deployment) {
    return deployView(log, view, uploaded(module, deployment));
  }

  /**
   * Deploys a view of your own on all logs whose name matches a pattern, now and later: uploads its module where the server does not have
   * it yet, and deploys it.
   *
   * @param view the view's name
   * @param module the {@code .wasm} file, at most 4 MiB
   * @param deployment its configuration, its gas, and what becomes of appends while it is halted
   * @param options who asks, and {@link CallOptions#logs}: the pattern, or that which the view has already
   * @return the view
   */
  public ViewPattern deployModulePattern(String view, byte[] module, DeployModule deployment, CallOptions options) {
    return deployViewPattern(view, uploaded(module, deployment), options);
  }

  private DeployModule uploaded(byte[] module, DeployModule deployment) {
    return new DeployModule()
        .module(uploadModule(module))
        .config(deployment.getConfig())
        .gas(deployment.getGas())
        .onHalt(deployment.getOnHalt());
  }
}
