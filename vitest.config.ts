import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    pool: 'forks',
    retry: 0,
    projects: [
      { extends: true, test: { name: 'fake-claude', include: ['fake-claude/test/**/*.test.ts'] } },
      { extends: true, test: { name: 'cleanup', include: ['cleanup/test/**/*.test.ts'] } },
      { extends: true, test: { name: 'harness', include: ['harness/test/**/*.test.ts'] } },
      { extends: true, test: { name: 'scenarios', include: ['scenarios/*.test.ts'] } },
    ],
  },
})
