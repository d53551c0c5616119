package io.github.tallystick.client;

import io.github.tallystick.client.model.Alert;
import io.github.tallystick.client.model.AlertCrossing;
import io.github.tallystick.client.model.AlertCrossingPage;
import io.github.tallystick.client.model.AlertPage;
import io.github.tallystick.client.model.AlertStatus;
import io.github.tallystick.client.model.AlertTest;
import io.github.tallystick.client.model.ListedAlert;
import io.github.tallystick.client.model.TestAlert;

/** The operations on alerts. */
abstract class AlertCalls extends WebhookCalls {
  AlertCalls(Transport transport) {
    super(transport);
  }

  /**
   * Makes or changes an alert. The same again changes nothing.
   *
   * @param alert the alert's name
   * @param definition what it watches, as the API describes it: a map, or exact JSON as {@link Json}
   * @param options who asks; may be null
   * @return the alert
   */
  public Alert putAlert(String alert, Object definition, CallOptions options) {
    return transport.send(Call.repeatable("PUT", "alerts", alert).with(options).json(definition), Alert.class);
  }

  /**
   * Describes an alert, and how it stands on a page of its logs.
   *
   * @param alert the alert's name
   * @param options {@code query("only", …)}: {@code firing} or {@code failing}; the page's size and cursor; may be null
   * @return the alert
   */
  public AlertStatus getAlert(String alert, ListOptions options) {
    return transport.send(Call.get("alerts", alert).with(options), AlertStatus.class);
  }

  /**
   * Reads a page of the list of alerts. See {@link #alerts} for all of them.
   *
   * @param options the page's size and cursor; may be null
   * @return the page
   */
  public AlertPage listAlerts(ListOptions options) {
    return transport.send(Call.get("alerts").with(options), AlertPage.class);
  }

  /**
   * All alerts by name, over all pages.
   *
   * @param options the size of pages; may be null
   * @return the alerts
   */
  public Pages<ListedAlert> alerts(ListOptions options) {
    return pages(
        options,
        o -> {
          AlertPage page = listAlerts(o);
          return new Pages.Page<>(page.getAlerts(), page.getNextCursor());
        });
  }

  /**
   * Ends an alert; nothing is resolved. Not repeated when the answer is lost.
   *
   * @param alert the alert's name
   * @param options who asks; may be null
   */
  public void deleteAlert(String alert, CallOptions options) {
    transport.send(Call.once("DELETE", "alerts", alert).with(options));
  }

  /**
   * Reads a page of what of an alert has fired or was resolved, newest first. See {@link #crossings} for all of it.
   *
   * @param alert the alert's name
   * @param options {@code query("log", …)}, the page's size and cursor; may be null
   * @return the page
   */
  public AlertCrossingPage listCrossings(String alert, ListOptions options) {
    return transport.send(Call.get("alerts", alert, "crossings").with(options), AlertCrossingPage.class);
  }

  /**
   * What of an alert has fired or was resolved, newest first, over all pages.
   *
   * @param alert the alert's name
   * @param options {@code query("log", …)} and the size of pages; may be null
   * @return the crossings
   */
  public Pages<AlertCrossing> crossings(String alert, ListOptions options) {
    return pages(
        options,
        o -> {
          AlertCrossingPage page = listCrossings(alert, o);
          return new Pages.Page<>(page.getCrossings(), page.getNextCursor());
        });
  }

  /**
   * Evaluates an alert on a log, now and without consequences.
   *
   * @param alert the alert's name
   * @param log the log's name or id
   * @return what it would read
   */
  public AlertTest testAlert(String alert, String log) {
    return transport.send(Call.repeatable("POST", "alerts", alert, "test").json(new TestAlert().log(log)), AlertTest.class);
  }
}
