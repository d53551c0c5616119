// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;


/**
 * What the value is where the answer has none; an error when absent.
 */
public final class AlertDefinitionAbsent extends Model {
  /** Makes one without members. */
  public AlertDefinitionAbsent() {}
}
