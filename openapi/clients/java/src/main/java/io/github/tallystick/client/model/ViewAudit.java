// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The result of folding a view's events again.
 */
public final class ViewAudit extends Model {
  @JsonProperty("difference")
  private AuditDifference difference;

  @JsonProperty("events")
  private Long events;

  @JsonProperty("keys")
  private Long keys;

  @JsonProperty("ok")
  private Boolean ok;

  @JsonProperty("seconds")
  private Double seconds;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("skipped")
  private Long skipped;

  @JsonProperty("version")
  private Integer version;

  @JsonProperty("view")
  private String view;

  @JsonProperty("ways")
  private List<String> ways;

  /** Makes one without members. */
  public ViewAudit() {}

  /**
   * Where it differs; absent where nothing does.
   *
   * @return the value; null where it is absent
   */
  public AuditDifference getDifference() {
    return difference;
  }

  /**
   * Sets {@code difference}.
   *
   * @param difference see {@link #getDifference}; null leaves the member out
   * @return this
   */
  public ViewAudit difference(AuditDifference difference) {
    this.difference = difference;
    return this;
  }

  /**
   * Events folded, each in every way.
   *
   * @return the value
   */
  public long getEvents() {
    return events == null ? 0 : events;
  }

  /**
   * Sets {@code events}.
   *
   * @param events see {@link #getEvents}; null leaves the member out
   * @return this
   */
  public ViewAudit events(Long events) {
    this.events = events;
    return this;
  }

  /**
   * Keys of the stored state that were compared.
   *
   * @return the value
   */
  public long getKeys() {
    return keys == null ? 0 : keys;
  }

  /**
   * Sets {@code keys}.
   *
   * @param keys see {@link #getKeys}; null leaves the member out
   * @return this
   */
  public ViewAudit keys(Long keys) {
    this.keys = keys;
    return this;
  }

  /**
   * Every way of folding, and the stored state, agree byte for byte.
   *
   * @return the value
   */
  public boolean isOk() {
    return ok != null && ok;
  }

  /**
   * Sets {@code ok}.
   *
   * @param ok see {@link #isOk}; null leaves the member out
   * @return this
   */
  public ViewAudit ok(Boolean ok) {
    this.ok = ok;
    return this;
  }

  /**
   * How long it took.
   *
   * @return the value
   */
  public Double getSeconds() {
    return seconds;
  }

  /**
   * Sets {@code seconds}.
   *
   * @param seconds see {@link #getSeconds}; null leaves the member out
   * @return this
   */
  public ViewAudit seconds(Double seconds) {
    this.seconds = seconds;
    return this;
  }

  /**
   * The state was compared as of this event; where something differs, the first event that shows it.
   *
   * @return the value
   */
  public long getSequence() {
    return sequence == null ? 0 : sequence;
  }

  /**
   * Sets {@code sequence}.
   *
   * @param sequence see {@link #getSequence}; null leaves the member out
   * @return this
   */
  public ViewAudit sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * Events that the version leaves out, since somebody resumed it past them.
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
  public ViewAudit skipped(Long skipped) {
    this.skipped = skipped;
    return this;
  }

  /**
   * Which version was audited.
   *
   * @return the value
   */
  public int getVersion() {
    return version == null ? 0 : version;
  }

  /**
   * Sets {@code version}.
   *
   * @param version see {@link #getVersion}; null leaves the member out
   * @return this
   */
  public ViewAudit version(Integer version) {
    this.version = version;
    return this;
  }

  /**
   * The view's name.
   *
   * @return the value
   */
  public String getView() {
    return view;
  }

  /**
   * Sets {@code view}.
   *
   * @param view see {@link #getView}; null leaves the member out
   * @return this
   */
  public ViewAudit view(String view) {
    this.view = view;
    return this;
  }

  /**
   * What was compared.
   *
   * @return the value
   */
  public List<String> getWays() {
    return ways;
  }

  /**
   * Sets {@code ways}.
   *
   * @param ways see {@link #getWays}; null leaves the member out
   * @return this
   */
  public ViewAudit ways(List<String> ways) {
    this.ways = ways;
    return this;
  }
}
