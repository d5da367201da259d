import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Most tests wait for processes and sockets; with vitest's one worker on two cores the machine would idle.
    maxWorkers: 3,
    // What ends a test is one of its own labelled deadlines; these are for a machine that is busy with other things.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    coverage: {
      provider: 'v8',
      include: ['src/domain/**', 'src/fixes/**'],
      reporter: ['text-summary'],
      thresholds: { branches: 100 },
    },
  },
});
