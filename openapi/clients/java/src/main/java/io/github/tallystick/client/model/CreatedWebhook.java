// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;

/**
 * A webhook with the secret that its messages are signed with.
 */
public final class CreatedWebhook extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("created_by")
  private String createdBy;

  @JsonProperty("description")
  private String description;

  @JsonProperty("disabled_at")
  private Instant disabledAt;

  @JsonProperty("disabled_why")
  private String disabledWhy;

  @JsonProperty("enabled")
  private Boolean enabled;

  @JsonProperty("failing_since")
  private Instant failingSince;

  @JsonProperty("former_until")
  private Instant formerUntil;

  @JsonProperty("logs")
  private String logs;

  @JsonProperty("secret")
  private String secret;

  @JsonProperty("types")
  private List<String> types;

  @JsonProperty("updated_at")
  private Instant updatedAt;

  @JsonProperty("url")
  private String url;

  @JsonProperty("webhook_id")
  private String webhookId;

  /** Makes one without members. */
  public CreatedWebhook() {}

  /**
   * When it was made.
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
  public CreatedWebhook createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * The key's name, and what Tally-Actor said.
   *
   * @return the value
   */
  public String getCreatedBy() {
    return createdBy;
  }

  /**
   * Sets {@code created_by}.
   *
   * @param createdBy see {@link #getCreatedBy}; null leaves the member out
   * @return this
   */
  public CreatedWebhook createdBy(String createdBy) {
    this.createdBy = createdBy;
    return this;
  }

  /**
   * For people.
   *
   * @return the value; null where it is absent
   */
  public String getDescription() {
    return description;
  }

  /**
   * Sets {@code description}.
   *
   * @param description see {@link #getDescription}; null leaves the member out
   * @return this
   */
  public CreatedWebhook description(String description) {
    this.description = description;
    return this;
  }

  /**
   * Since when it is not enabled.
   *
   * @return the value; null where it is absent
   */
  public Instant getDisabledAt() {
    return disabledAt;
  }

  /**
   * Sets {@code disabled_at}.
   *
   * @param disabledAt see {@link #getDisabledAt}; null leaves the member out
   * @return this
   */
  public CreatedWebhook disabledAt(Instant disabledAt) {
    this.disabledAt = disabledAt;
    return this;
  }

  /**
   * Why it is not enabled: by request, or since it answered 410, or failed for five days.
   *
   * @return the value; null where it is absent
   */
  public String getDisabledWhy() {
    return disabledWhy;
  }

  /**
   * Sets {@code disabled_why}.
   *
   * @param disabledWhy see {@link #getDisabledWhy}; null leaves the member out
   * @return this
   */
  public CreatedWebhook disabledWhy(String disabledWhy) {
    this.disabledWhy = disabledWhy;
    return this;
  }

  /**
   * Whether it is told at all.
   *
   * @return the value
   */
  public boolean isEnabled() {
    return enabled != null && enabled;
  }

  /**
   * Sets {@code enabled}.
   *
   * @param enabled see {@link #isEnabled}; null leaves the member out
   * @return this
   */
  public CreatedWebhook enabled(Boolean enabled) {
    this.enabled = enabled;
    return this;
  }

  /**
   * Since when its tries fail; absent when the last one succeeded.
   *
   * @return the value; null where it is absent
   */
  public Instant getFailingSince() {
    return failingSince;
  }

  /**
   * Sets {@code failing_since}.
   *
   * @param failingSince see {@link #getFailingSince}; null leaves the member out
   * @return this
   */
  public CreatedWebhook failingSince(Instant failingSince) {
    this.failingSince = failingSince;
    return this;
  }

  /**
   * Until when messages are also signed with the secret from before the last rotation.
   *
   * @return the value; null where it is absent
   */
  public Instant getFormerUntil() {
    return formerUntil;
  }

  /**
   * Sets {@code former_until}.
   *
   * @param formerUntil see {@link #getFormerUntil}; null leaves the member out
   * @return this
   */
  public CreatedWebhook formerUntil(Instant formerUntil) {
    this.formerUntil = formerUntil;
    return this;
  }

  /**
   * The pattern of the logs that it is told of; all when absent. What concerns no log it is told in any case.
   *
   * @return the value; null where it is absent
   */
  public String getLogs() {
    return logs;
  }

  /**
   * Sets {@code logs}.
   *
   * @param logs see {@link #getLogs}; null leaves the member out
   * @return this
   */
  public CreatedWebhook logs(String logs) {
    this.logs = logs;
    return this;
  }

  /**
   * The secret, in the form of the Standard Webhooks specification. It is shown this once.
   *
   * @return the value
   */
  public String getSecret() {
    return secret;
  }

  /**
   * Sets {@code secret}.
   *
   * @param secret see {@link #getSecret}; null leaves the member out
   * @return this
   */
  public CreatedWebhook secret(String secret) {
    this.secret = secret;
    return this;
  }

  /**
   * What it is told of; everything when empty.
   *
   * @return the value
   */
  public List<String> getTypes() {
    return types;
  }

  /**
   * Sets {@code types}.
   *
   * @param types see {@link #getTypes}; null leaves the member out
   * @return this
   */
  public CreatedWebhook types(List<String> types) {
    this.types = types;
    return this;
  }

  /**
   * When it was last changed by request.
   *
   * @return the value
   */
  public Instant getUpdatedAt() {
    return updatedAt;
  }

  /**
   * Sets {@code updated_at}.
   *
   * @param updatedAt see {@link #getUpdatedAt}; null leaves the member out
   * @return this
   */
  public CreatedWebhook updatedAt(Instant updatedAt) {
    this.updatedAt = updatedAt;
    return this;
  }

  /**
   * Where requests go.
   *
   * @return the value
   */
  public String getUrl() {
    return url;
  }

  /**
   * Sets {@code url}.
   *
   * @param url see {@link #getUrl}; null leaves the member out
   * @return this
   */
  public CreatedWebhook url(String url) {
    this.url = url;
    return this;
  }

  /**
   * The webhook's id.
   *
   * @return the value
   */
  public String getWebhookId() {
    return webhookId;
  }

  /**
   * Sets {@code webhook_id}.
   *
   * @param webhookId see {@link #getWebhookId}; null leaves the member out
   * @return this
   */
  public CreatedWebhook webhookId(String webhookId) {
    this.webhookId = webhookId;
    return this;
  }
}
