// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;
import java.util.List;

/**
 * A delivery with its message and the answers that it got.
 */
public final class WebhookDeliveryDetail extends Model {
  @JsonProperty("attempts")
  private Long attempts;

  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("delivery_id")
  private String deliveryId;

  @JsonProperty("error")
  private String error;

  @JsonProperty("finished_at")
  private Instant finishedAt;

  @JsonProperty("log")
  private String log;

  @JsonProperty("message")
  private Json message;

  @JsonProperty("next_at")
  private Instant nextAt;

  @JsonProperty("status")
  private String status;

  @JsonProperty("tries")
  private List<DeliveryAttempt> tries;

  @JsonProperty("type")
  private String type;

  /** Makes one without members. */
  public WebhookDeliveryDetail() {}

  /**
   * How often it was tried.
   *
   * @return the value
   */
  public long getAttempts() {
    return attempts == null ? 0 : attempts;
  }

  /**
   * Sets {@code attempts}.
   *
   * @param attempts see {@link #getAttempts}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail attempts(Long attempts) {
    this.attempts = attempts;
    return this;
  }

  /**
   * When it was announced.
   *
   * @return the value
   */
  public Instant getCreatedAt() {
    return createdAt;
  }

  /**
   * Sets {@code created_at}.
   *
   * @param createdAt see {@link #getCreatedAt}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * The message's id, which goes with each try as webhook-id.
   *
   * @return the value
   */
  public String getDeliveryId() {
    return deliveryId;
  }

  /**
   * Sets {@code delivery_id}.
   *
   * @param deliveryId see {@link #getDeliveryId}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail deliveryId(String deliveryId) {
    this.deliveryId = deliveryId;
    return this;
  }

  /**
   * Why the last try failed; absent when it did not.
   *
   * @return the value; null where it is absent
   */
  public String getError() {
    return error;
  }

  /**
   * Sets {@code error}.
   *
   * @param error see {@link #getError}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail error(String error) {
    this.error = error;
    return this;
  }

  /**
   * When it was delivered or given up; absent while it is pending.
   *
   * @return the value; null where it is absent
   */
  public Instant getFinishedAt() {
    return finishedAt;
  }

  /**
   * Sets {@code finished_at}.
   *
   * @param finishedAt see {@link #getFinishedAt}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail finishedAt(Instant finishedAt) {
    this.finishedAt = finishedAt;
    return this;
  }

  /**
   * The log that it is about; absent when it is about none.
   *
   * @return the value; null where it is absent
   */
  public String getLog() {
    return log;
  }

  /**
   * Sets {@code log}.
   *
   * @param log see {@link #getLog}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail log(String log) {
    this.log = log;
    return this;
  }

  /**
   * What is sent, byte for byte but for white space.
   *
   * @return the value
   */
  public Json getMessage() {
    return message;
  }

  /**
   * Sets {@code message}.
   *
   * @param message see {@link #getMessage}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail message(Json message) {
    this.message = message;
    return this;
  }

  /**
   * When it is tried next, at the earliest; absent when it has ended.
   *
   * @return the value; null where it is absent
   */
  public Instant getNextAt() {
    return nextAt;
  }

  /**
   * Sets {@code next_at}.
   *
   * @param nextAt see {@link #getNextAt}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail nextAt(Instant nextAt) {
    this.nextAt = nextAt;
    return this;
  }

  /**
   * pending: it has not been taken yet; delivered; dead: it was given up.
   *
   * @return the value
   */
  public String getStatus() {
    return status;
  }

  /**
   * Sets {@code status}.
   *
   * @param status see {@link #getStatus}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail status(String status) {
    this.status = status;
    return this;
  }

  /**
   * The latest 100, newest first.
   *
   * @return the value
   */
  public List<DeliveryAttempt> getTries() {
    return tries;
  }

  /**
   * Sets {@code tries}.
   *
   * @param tries see {@link #getTries}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryDetail tries(List<DeliveryAttempt> tries) {
    this.tries = tries;
    return this;
  }

  /**
   * What the message tells.
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
  public WebhookDeliveryDetail type(String type) {
    this.type = type;
    return this;
  }
}
