import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "pages/**/*.test.ts"],
    restoreMocks: true,
    // A real hub is started, and killed; the rest takes milliseconds.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two workers at most: the tests run beside Python's.
    maxWorkers: 2,
  },
});
