/** What the API takes and answers, generated from its OpenAPI document. */
package io.github.tallystick.client.model;
