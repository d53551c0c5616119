// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;


/**
 * What percentages are of: a number, or a JSON Pointer into the answer.
 */
public final class AlertDefinitionOf extends Model {
  /** Makes one without members. */
  public AlertDefinitionOf() {}
}
