package io.github.tallystick.client;

import io.github.tallystick.client.model.Delivery;
import io.github.tallystick.client.model.ListedSource;
import io.github.tallystick.client.model.ReadySourceList;
import io.github.tallystick.client.model.ReplaySource;
import io.github.tallystick.client.model.Source;
import io.github.tallystick.client.model.SourceHistory;
import io.github.tallystick.client.model.SourcePage;
import io.github.tallystick.client.model.SourceReplay;
import io.github.tallystick.client.model.SourceTest;
import io.github.tallystick.client.model.SourceVersion;

/** The operations on sources, and what gateways send to them. */
abstract class SourceCalls extends ViewCalls {
  SourceCalls(Transport transport) {
    super(transport);
  }

  /**
   * Says what a source does with what is sent to it.
   *
   * @param source the source's name
   * @param mapping the mapping: a map, another object for Jackson, or exact JSON as {@code String}, {@code byte[]} or {@link Json}
   * @param options who asks; may be null
   * @return the source
   */
  public Source putSource(String source, Object mapping, CallOptions options) {
    Call call = Call.repeatable("PUT", "sources", source).with(options);
    return transport.send(call.body("application/json", Events.encode(mapping).shared()), Source.class);
  }

  /**
   * Describes a source.
   *
   * @param source the source's name
   * @param options which version; may be null
   * @return the source
   */
  public Source getSource(String source, CallOptions options) {
    return transport.send(Call.get("sources", source).with(options), Source.class);
  }

  /**
   * Deletes a source.
   *
   * @param source the source's name
   * @param options who asks; may be null
   */
  public void deleteSource(String source, CallOptions options) {
    try {
      transport.send(Call.repeatable("DELETE", "sources", source).with(options));
    } catch (TallyException e) {
      if (!e.isAfterLostAnswer() || !e.getCode().equals("source_not_found")) {
        throw e; // else the try whose answer was lost deleted it
      }
    }
  }

  /**
   * Reads a page of the list of sources, by name. See {@link #sources} for all of them.
   *
   * @param options the page's size and cursor; may be null
   * @return the page
   */
  public SourcePage listSources(ListOptions options) {
    return transport.send(Call.get("sources").with(options), SourcePage.class);
  }

  /**
   * All sources, by name, over all pages.
   *
   * @param options the size of pages; may be null
   * @return the sources
   */
  public Pages<ListedSource> sources(ListOptions options) {
    return pages(
        options,
        o -> {
          SourcePage page = listSources(o);
          return new Pages.Page<>(page.getSources(), page.getNextCursor());
        });
  }

  /**
   * Reads a page of a source's versions, newest first. See {@link #sourceVersions} for all of them.
   *
   * @param source the source's name
   * @param options the page's size and cursor; may be null
   * @return the page
   */
  public SourceHistory listSourceVersions(String source, ListOptions options) {
    return transport.send(Call.get("sources", source, "versions").with(options), SourceHistory.class);
  }

  /**
   * All versions of a source, newest first, over all pages.
   *
   * @param source the source's name
   * @param options the size of pages; may be null
   * @return the versions
   */
  public Pages<SourceVersion> sourceVersions(String source, ListOptions options) {
    return pages(
        options,
        o -> {
          SourceHistory page = listSourceVersions(source, o);
          return new Pages.Page<>(page.getVersions(), page.getNextCursor());
        });
  }

  /**
   * Lists the mappings that come with the server.
   *
   * @return the mappings
   */
  public ReadySourceList listReadySources() {
    return transport.send(Call.get("ready-sources"), ReadySourceList.class);
  }

  /**
   * Shows what a source would make of what is sent to it, and stores nothing.
   *
   * @param source the source's name
   * @param records what is sent, as in {@link #sendEvents}
   * @param options {@link CallOptions#as}, {@link CallOptions#version}, {@link CallOptions#contentType}; may be null
   * @return what became of each line
   */
  public SourceTest testSource(String source, Object records, CallOptions options) {
    return transport.send(records(records, options, "sources", source, "test"), SourceTest.class);
  }

  /**
   * Maps rejects again, and stores what maps now. Not repeated when the answer is lost.
   *
   * @param source the source's name
   * @param replay where to begin, and how many
   * @return what became of them
   */
  public SourceReplay replaySource(String source, ReplaySource replay) {
    return transport.send(Call.once("POST", "sources", source, "replay").slow().json(replay), SourceReplay.class);
  }

  /**
   * Sends records to a source, as gateways do: CloudEvents, or whatever its mapping reads.
   *
   * @param source the source's name; {@code default} is the one that needs none
   * @param records a list, a map, another object for Jackson, or exact text as {@code String}, {@code byte[]} or {@link Json}
   * @param options {@link CallOptions#contentType} and others; may be null
   * @return how many were stored and rejected
   */
  public Delivery sendEvents(String source, Object records, CallOptions options) {
    return transport.send(records(records, options, "sources", source, "events"), Delivery.class);
  }

  /**
   * Sends CloudEvents as OpenMeter takes them.
   *
   * @param source the source's name
   * @param events as in {@link #sendEvents}
   * @param options {@link CallOptions#contentType} and others; may be null
   */
  public void sendOpenmeterEvents(String source, Object events, CallOptions options) {
    transport.send(records(events, options, "sources", source, "api", "v1", "events"));
  }

  /**
   * Sends log records of OpenTelemetry.
   *
   * @param source the source's name
   * @param request an export request, in JSON unless {@link CallOptions#contentType} says {@code application/x-protobuf}
   * @param options options; may be null
   * @return the answer, in the encoding of the request
   */
  public Json sendOtlpLogs(String source, Object request, CallOptions options) {
    return new Json(transport.send(records(request, options, "sources", source, "v1", "logs")).body());
  }

  /**
   * Sends spans of OpenTelemetry.
   *
   * @param source the source's name
   * @param request an export request, in JSON unless {@link CallOptions#contentType} says {@code application/x-protobuf}
   * @param options options; may be null
   * @return the answer, in the encoding of the request
   */
  public Json sendOtlpTraces(String source, Object request, CallOptions options) {
    return new Json(transport.send(records(request, options, "sources", source, "v1", "traces")).body());
  }

  /** What a delivery holds has an identity of its own, so that it may be sent again. */
  private static Call records(Object records, CallOptions options, String... path) {
    return Call.repeatable("POST", path).body("application/json", Events.encode(records).shared()).with(options);
  }
}
