// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.util.List;

/**
 * An error, after RFC 9457. The members from fields on are there where they help.
 */
public final class Problem extends Model {
  @JsonProperty("answer")
  private Json answer;

  @JsonProperty("applied")
  private Long applied;

  @JsonProperty("code")
  private String code;

  @JsonProperty("detail")
  private String detail;

  @JsonProperty("events")
  private Long events;

  @JsonProperty("fields")
  private List<InvalidField> fields;

  @JsonProperty("head")
  private Long head;

  @JsonProperty("limit")
  private String limit;

  @JsonProperty("line")
  private Long line;

  @JsonProperty("log_id")
  private String logId;

  @JsonProperty("request_id")
  private String requestId;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("status")
  private Long status;

  @JsonProperty("title")
  private String title;

  @JsonProperty("type")
  private String type;

  @JsonProperty("view")
  private String view;

  /** Makes one without members. */
  public Problem() {}

  /**
   * What the guard says about its refusal: a JSON object of the view's own.
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
  public Problem answer(Json answer) {
    this.answer = answer;
    return this;
  }

  /**
   * How many events a building view has folded.
   *
   * @return the value; null where it is absent
   */
  public Long getApplied() {
    return applied;
  }

  /**
   * Sets {@code applied}.
   *
   * @param applied see {@link #getApplied}; null leaves the member out
   * @return this
   */
  public Problem applied(Long applied) {
    this.applied = applied;
    return this;
  }

  /**
   * What went wrong, for programs. Never changes its meaning.
   *
   * @return the value
   */
  public String getCode() {
    return code;
  }

  /**
   * Sets {@code code}.
   *
   * @param code see {@link #getCode}; null leaves the member out
   * @return this
   */
  public Problem code(String code) {
    this.code = code;
    return this;
  }

  /**
   * What went wrong and what to do, for people.
   *
   * @return the value
   */
  public String getDetail() {
    return detail;
  }

  /**
   * Sets {@code detail}.
   *
   * @param detail see {@link #getDetail}; null leaves the member out
   * @return this
   */
  public Problem detail(String detail) {
    this.detail = detail;
    return this;
  }

  /**
   * How many of the request's events one request may have, for what its log's views need.
   *
   * @return the value; null where it is absent
   */
  public Long getEvents() {
    return events;
  }

  /**
   * Sets {@code events}.
   *
   * @param events see {@link #getEvents}; null leaves the member out
   * @return this
   */
  public Problem events(Long events) {
    this.events = events;
    return this;
  }

  /**
   * Which parameters or members are wrong, and why.
   *
   * @return the value; null where it is absent
   */
  public List<InvalidField> getFields() {
    return fields;
  }

  /**
   * Sets {@code fields}.
   *
   * @param fields see {@link #getFields}; null leaves the member out
   * @return this
   */
  public Problem fields(List<InvalidField> fields) {
    this.fields = fields;
    return this;
  }

  /**
   * The log's last sequence.
   *
   * @return the value; null where it is absent
   */
  public Long getHead() {
    return head;
  }

  /**
   * Sets {@code head}.
   *
   * @param head see {@link #getHead}; null leaves the member out
   * @return this
   */
  public Problem head(Long head) {
    this.head = head;
    return this;
  }

  /**
   * The limit that was exceeded or reached.
   *
   * @return the value; null where it is absent
   */
  public String getLimit() {
    return limit;
  }

  /**
   * Sets {@code limit}.
   *
   * @param limit see {@link #getLimit}; null leaves the member out
   * @return this
   */
  public Problem limit(String limit) {
    this.limit = limit;
    return this;
  }

  /**
   * The line of a batch, from 1; in a JSON array the element, from 1.
   *
   * @return the value; null where it is absent
   */
  public Long getLine() {
    return line;
  }

  /**
   * Sets {@code line}.
   *
   * @param line see {@link #getLine}; null leaves the member out
   * @return this
   */
  public Problem line(Long line) {
    this.line = line;
    return this;
  }

  /**
   * The log that has the name already.
   *
   * @return the value; null where it is absent
   */
  public String getLogId() {
    return logId;
  }

  /**
   * Sets {@code log_id}.
   *
   * @param logId see {@link #getLogId}; null leaves the member out
   * @return this
   */
  public Problem logId(String logId) {
    this.logId = logId;
    return this;
  }

  /**
   * The request's id, as the header Tally-Request-Id and the server's log have it; where the status is 500 or above.
   *
   * @return the value; null where it is absent
   */
  public String getRequestId() {
    return requestId;
  }

  /**
   * Sets {@code request_id}.
   *
   * @param requestId see {@link #getRequestId}; null leaves the member out
   * @return this
   */
  public Problem requestId(String requestId) {
    this.requestId = requestId;
    return this;
  }

  /**
   * The event in question.
   *
   * @return the value; null where it is absent
   */
  public Long getSequence() {
    return sequence;
  }

  /**
   * Sets {@code sequence}.
   *
   * @param sequence see {@link #getSequence}; null leaves the member out
   * @return this
   */
  public Problem sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * The HTTP status.
   *
   * @return the value
   */
  public long getStatus() {
    return status == null ? 0 : status;
  }

  /**
   * Sets {@code status}.
   *
   * @param status see {@link #getStatus}; null leaves the member out
   * @return this
   */
  public Problem status(Long status) {
    this.status = status;
    return this;
  }

  /**
   * The HTTP status in words.
   *
   * @return the value
   */
  public String getTitle() {
    return title;
  }

  /**
   * Sets {@code title}.
   *
   * @param title see {@link #getTitle}; null leaves the member out
   * @return this
   */
  public Problem title(String title) {
    this.title = title;
    return this;
  }

  /**
   * urn:tallystick:problem: and the code.
   *
   * @return the value
   */
  public String getType() {
    return type;
  }

  /**
   * Sets {@code type}.
   *
   * @param type see {@link #getType}; null leaves the member out
   * @return this
   */
  public Problem type(String type) {
    this.type = type;
    return this;
  }

  /**
   * The view whose guard refuses the event, or cannot be asked.
   *
   * @return the value; null where it is absent
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
  public Problem view(String view) {
    this.view = view;
    return this;
  }
}
