/**
 * The path of the program for this platform.
 *
 * @throws {Error} where there is none, or where its package was not installed
 */
export declare function binaryPath(): string;
