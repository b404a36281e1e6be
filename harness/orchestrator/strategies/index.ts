import { asFound } from './as-found.ts'
import { reportOption1 } from './report-option-1.ts'
import { reportOption2 } from './report-option-2.ts'
import type { Strategy, StrategyName } from './strategy.ts'
import { withCleanup } from './with-cleanup.ts'

export const strategies: Record<StrategyName, Strategy> = {
  none: asFound,
  immediate: withCleanup('immediate', { immediate: true, daemon: false }),
  daemon: withCleanup('daemon', { immediate: false, daemon: true }),
  hybrid: withCleanup('hybrid', { immediate: true, daemon: true }),
  'report-option-1': reportOption1,
  'report-option-2': reportOption2,
}
