/** Tallystick in a container: {@link io.github.tallystick.testcontainers.TallystickContainer}. */
package io.github.tallystick.testcontainers;
