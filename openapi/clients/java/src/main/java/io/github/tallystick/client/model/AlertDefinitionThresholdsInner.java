// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;


/**
 * A percentage, such as 80%, or an amount, such as 250.00.
 */
public final class AlertDefinitionThresholdsInner extends Model {
  /** Makes one without members. */
  public AlertDefinitionThresholdsInner() {}
}
