// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;

/**
 * What a view would make of a log's last events.
 */
public final class ViewPreview extends Model {
  @JsonProperty("answer")
  private Json answer;

  @JsonProperty("answer_problem")
  private AnswerProblem answerProblem;

  @JsonProperty("answer_type")
  private String answerType;

  @JsonProperty("complete")
  private Boolean complete;

  @JsonProperty("events")
  private Long events;

  @JsonProperty("from_sequence")
  private Long fromSequence;

  @JsonProperty("gas_per_event")
  private Long gasPerEvent;

  @JsonProperty("halt")
  private PreviewHalt halt;

  @JsonProperty("ignored")
  private Long ignored;

  @JsonProperty("left_out")
  private Long leftOut;

  @JsonProperty("state_bytes")
  private Long stateBytes;

  @JsonProperty("state_keys")
  private Long stateKeys;

  @JsonProperty("to_sequence")
  private Long toSequence;

  /** Makes one without members. */
  public ViewPreview() {}

  /**
   * What it answers to the question: any JSON, or a text where it answers in CSV or plain text.
   *
   * @return the value; null where it is absent
   */
  public Json getAnswer() {
    return answer;
  }

  /**
   * Sets {@code answer}.
   *
   * @param answer see {@link #getAnswer}; null leaves the member out
   * @return this
   */
  public ViewPreview answer(Json answer) {
    this.answer = answer;
    return this;
  }

  /**
   * Why there is no answer; absent where there is one.
   *
   * @return the value; null where it is absent
   */
  public AnswerProblem getAnswerProblem() {
    return answerProblem;
  }

  /**
   * Sets {@code answer_problem}.
   *
   * @param answerProblem see {@link #getAnswerProblem}; null leaves the member out
   * @return this
   */
  public ViewPreview answerProblem(AnswerProblem answerProblem) {
    this.answerProblem = answerProblem;
    return this;
  }

  /**
   * application/json, text/csv or text/plain; absent where there is no answer.
   *
   * @return the value; null where it is absent
   */
  public String getAnswerType() {
    return answerType;
  }

  /**
   * Sets {@code answer_type}.
   *
   * @param answerType see {@link #getAnswerType}; null leaves the member out
   * @return this
   */
  public ViewPreview answerType(String answerType) {
    this.answerType = answerType;
    return this;
  }

  /**
   * All events that were to be folded are: the view did not halt, and it did not take more than 45 seconds.
   *
   * @return the value
   */
  public boolean isComplete() {
    return complete != null && complete;
  }

  /**
   * Sets {@code complete}.
   *
   * @param complete see {@link #isComplete}; null leaves the member out
   * @return this
   */
  public ViewPreview complete(Boolean complete) {
    this.complete = complete;
    return this;
  }

  /**
   * Events that were folded.
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
  public ViewPreview events(Long events) {
    this.events = events;
    return this;
  }

  /**
   * The first event that was folded, onto an empty state; 0 where none was.
   *
   * @return the value
   */
  public long getFromSequence() {
    return fromSequence == null ? 0 : fromSequence;
  }

  /**
   * Sets {@code from_sequence}.
   *
   * @param fromSequence see {@link #getFromSequence}; null leaves the member out
   * @return this
   */
  public ViewPreview fromSequence(Long fromSequence) {
    this.fromSequence = fromSequence;
    return this;
  }

  /**
   * The gas that folding took, by the event.
   *
   * @return the value
   */
  public long getGasPerEvent() {
    return gasPerEvent == null ? 0 : gasPerEvent;
  }

  /**
   * Sets {@code gas_per_event}.
   *
   * @param gasPerEvent see {@link #getGasPerEvent}; null leaves the member out
   * @return this
   */
  public ViewPreview gasPerEvent(Long gasPerEvent) {
    this.gasPerEvent = gasPerEvent;
    return this;
  }

  /**
   * Where it would halt; absent where it would not. The rest is of the events before that.
   *
   * @return the value; null where it is absent
   */
  public PreviewHalt getHalt() {
    return halt;
  }

  /**
   * Sets {@code halt}.
   *
   * @param halt see {@link #getHalt}; null leaves the member out
   * @return this
   */
  public ViewPreview halt(PreviewHalt halt) {
    this.halt = halt;
    return this;
  }

  /**
   * Of these, those that the view had no use for.
   *
   * @return the value
   */
  public long getIgnored() {
    return ignored == null ? 0 : ignored;
  }

  /**
   * Sets {@code ignored}.
   *
   * @param ignored see {@link #getIgnored}; null leaves the member out
   * @return this
   */
  public ViewPreview ignored(Long ignored) {
    this.ignored = ignored;
    return this;
  }

  /**
   * Events of the log before these, which were not folded.
   *
   * @return the value
   */
  public long getLeftOut() {
    return leftOut == null ? 0 : leftOut;
  }

  /**
   * Sets {@code left_out}.
   *
   * @param leftOut see {@link #getLeftOut}; null leaves the member out
   * @return this
   */
  public ViewPreview leftOut(Long leftOut) {
    this.leftOut = leftOut;
    return this;
  }

  /**
   * Bytes of these keys and their values.
   *
   * @return the value
   */
  public long getStateBytes() {
    return stateBytes == null ? 0 : stateBytes;
  }

  /**
   * Sets {@code state_bytes}.
   *
   * @param stateBytes see {@link #getStateBytes}; null leaves the member out
   * @return this
   */
  public ViewPreview stateBytes(Long stateBytes) {
    this.stateBytes = stateBytes;
    return this;
  }

  /**
   * Keys of its state.
   *
   * @return the value
   */
  public long getStateKeys() {
    return stateKeys == null ? 0 : stateKeys;
  }

  /**
   * Sets {@code state_keys}.
   *
   * @param stateKeys see {@link #getStateKeys}; null leaves the member out
   * @return this
   */
  public ViewPreview stateKeys(Long stateKeys) {
    this.stateKeys = stateKeys;
    return this;
  }

  /**
   * The last one.
   *
   * @return the value
   */
  public long getToSequence() {
    return toSequence == null ? 0 : toSequence;
  }

  /**
   * Sets {@code to_sequence}.
   *
   * @param toSequence see {@link #getToSequence}; null leaves the member out
   * @return this
   */
  public ViewPreview toSequence(Long toSequence) {
    this.toSequence = toSequence;
    return this;
  }
}
