/**
 * The SDK of Tallystick, a usage-metering engine: {@link io.github.tallystick.client.Tally} is where to begin.
 */
package io.github.tallystick.client;
