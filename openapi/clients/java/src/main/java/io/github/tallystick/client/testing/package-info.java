/** A server for tests: {@link io.github.tallystick.client.testing.TallyServer}. */
package io.github.tallystick.client.testing;
