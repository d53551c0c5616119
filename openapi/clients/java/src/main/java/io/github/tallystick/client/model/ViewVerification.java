// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The result of folding a view's events again, or why it could not be done.
 */
public final class ViewVerification extends Model {
  @JsonProperty("audit")
  private ViewAudit audit;

  @JsonProperty("code")
  private String code;

  @JsonProperty("detail")
  private String detail;

  @JsonProperty("ok")
  private Boolean ok;

  @JsonProperty("view")
  private String view;

  /** Makes one without members. */
  public ViewVerification() {}

  /**
   * What was read and compared.
   *
   * @return the value; null where it is absent
   */
  public ViewAudit getAudit() {
    return audit;
  }

  /**
   * Sets {@code audit}.
   *
   * @param audit see {@link #getAudit}; null leaves the member out
   * @return this
   */
  public ViewVerification audit(ViewAudit audit) {
    this.audit = audit;
    return this;
  }

  /**
   * Why it could not be done, as a problem's code.
   *
   * @return the value; null where it is absent
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
  public ViewVerification code(String code) {
    this.code = code;
    return this;
  }

  /**
   * Likewise, in words.
   *
   * @return the value; null where it is absent
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
  public ViewVerification detail(String detail) {
    this.detail = detail;
    return this;
  }

  /**
   * Nothing differs.
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
  public ViewVerification ok(Boolean ok) {
    this.ok = ok;
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
  public ViewVerification view(String view) {
    this.view = view;
    return this;
  }
}
