// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What a source would make of a payload.
 */
public final class SourceTest extends Model {
  @JsonProperty("lines")
  private List<TestedLine> lines;

  @JsonProperty("mapped")
  private Long mapped;

  @JsonProperty("more")
  private Boolean more;

  @JsonProperty("rejected")
  private Long rejected;

  @JsonProperty("skipped")
  private Long skipped;

  @JsonProperty("version")
  private Long version;

  /** Makes one without members. */
  public SourceTest() {}

  /**
   * What would become of each record.
   *
   * @return the value
   */
  public List<TestedLine> getLines() {
    return lines;
  }

  /**
   * Sets {@code lines}.
   *
   * @param lines see {@link #getLines}; null leaves the member out
   * @return this
   */
  public SourceTest lines(List<TestedLine> lines) {
    this.lines = lines;
    return this;
  }

  /**
   * How many records would become events.
   *
   * @return the value
   */
  public long getMapped() {
    return mapped == null ? 0 : mapped;
  }

  /**
   * Sets {@code mapped}.
   *
   * @param mapped see {@link #getMapped}; null leaves the member out
   * @return this
   */
  public SourceTest mapped(Long mapped) {
    this.mapped = mapped;
    return this;
  }

  /**
   * The payload has more than is shown: 1,000 lines, or 4 MiB of events.
   *
   * @return the value; false where it is absent
   */
  public boolean isMore() {
    return more != null && more;
  }

  /**
   * Sets {@code more}.
   *
   * @param more see {@link #isMore}; null leaves the member out
   * @return this
   */
  public SourceTest more(Boolean more) {
    this.more = more;
    return this;
  }

  /**
   * How many would be rejected.
   *
   * @return the value
   */
  public long getRejected() {
    return rejected == null ? 0 : rejected;
  }

  /**
   * Sets {@code rejected}.
   *
   * @param rejected see {@link #getRejected}; null leaves the member out
   * @return this
   */
  public SourceTest rejected(Long rejected) {
    this.rejected = rejected;
    return this;
  }

  /**
   * How many the mapping does not select.
   *
   * @return the value
   */
  public long getSkipped() {
    return skipped == null ? 0 : skipped;
  }

  /**
   * Sets {@code skipped}.
   *
   * @param skipped see {@link #getSkipped}; null leaves the member out
   * @return this
   */
  public SourceTest skipped(Long skipped) {
    this.skipped = skipped;
    return this;
  }

  /**
   * Of the source.
   *
   * @return the value
   */
  public long getVersion() {
    return version == null ? 0 : version;
  }

  /**
   * Sets {@code version}.
   *
   * @param version see {@link #getVersion}; null leaves the member out
   * @return this
   */
  public SourceTest version(Long version) {
    this.version = version;
    return this;
  }
}
