import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Most tests wait for processes and sockets; with vitest's one worker on two cores the machine would idle.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['src/domain/**', 'src/fixes/**'],
      reporter: ['text-summary'],
      thresholds: { branches: 100 },
    },
  },
});
